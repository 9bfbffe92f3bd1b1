/**
 * Countries and territories of ISO 3166-1, and Kosovo by its usual code: alpha-2, alpha-3, the
 * short English name that is written, and after each = another name that is read.
 */
export const COUNTRIES = `
AF AFG Afghanistan
AX ALA Åland Islands
AL ALB Albania
DZ DZA Algeria
AS ASM American Samoa
AD AND Andorra
AO AGO Angola
AI AIA Anguilla
AQ ATA Antarctica
AG ATG Antigua and Barbuda
AR ARG Argentina
AM ARM Armenia
AW ABW Aruba
AU AUS Australia
AT AUT Austria
AZ AZE Azerbaijan
BS BHS Bahamas
BH BHR Bahrain
BD BGD Bangladesh
BB BRB Barbados
BY BLR Belarus
BE BEL Belgium
BZ BLZ Belize
BJ BEN Benin
BM BMU Bermuda
BT BTN Bhutan
BO BOL Bolivia = Plurinational State of Bolivia
BQ BES Bonaire, Sint Eustatius and Saba = Caribbean Netherlands
BA BIH Bosnia and Herzegovina = Bosnia
BW BWA Botswana
BV BVT Bouvet Island
BR BRA Brazil
IO IOT British Indian Ocean Territory
VG VGB British Virgin Islands = Virgin Islands, British
BN BRN Brunei = Brunei Darussalam
BG BGR Bulgaria
BF BFA Burkina Faso
BI BDI Burundi
CV CPV Cabo Verde = Cape Verde
KH KHM Cambodia
CM CMR Cameroon
CA CAN Canada
KY CYM Cayman Islands
CF CAF Central African Republic
TD TCD Chad
CL CHL Chile
CN CHN China = People's Republic of China = PRC
CX CXR Christmas Island
CC CCK Cocos (Keeling) Islands = Cocos Islands
CO COL Colombia
KM COM Comoros
CG COG Congo = Republic of the Congo = Congo-Brazzaville
CD COD Democratic Republic of the Congo = DR Congo = DRC = Congo-Kinshasa = Congo, Democratic Republic of the
CK COK Cook Islands
CR CRI Costa Rica
CI CIV Côte d'Ivoire = Ivory Coast
HR HRV Croatia
CU CUB Cuba
CW CUW Curaçao
CY CYP Cyprus
CZ CZE Czechia = Czech Republic
DK DNK Denmark
DJ DJI Djibouti
DM DMA Dominica
DO DOM Dominican Republic
EC ECU Ecuador
EG EGY Egypt
SV SLV El Salvador
GQ GNQ Equatorial Guinea
ER ERI Eritrea
EE EST Estonia
SZ SWZ Eswatini = Swaziland
ET ETH Ethiopia
FK FLK Falkland Islands = Falkland Islands (Malvinas)
FO FRO Faroe Islands
FJ FJI Fiji
FI FIN Finland
FR FRA France
GF GUF French Guiana
PF PYF French Polynesia
TF ATF French Southern Territories
GA GAB Gabon
GM GMB Gambia = Republic of the Gambia
GE GEO Georgia
DE DEU Germany = Federal Republic of Germany
GH GHA Ghana
GI GIB Gibraltar
GR GRC Greece
GL GRL Greenland
GD GRD Grenada
GP GLP Guadeloupe
GU GUM Guam
GT GTM Guatemala
GG GGY Guernsey
GN GIN Guinea
GW GNB Guinea-Bissau
GY GUY Guyana
HT HTI Haiti
HM HMD Heard Island and McDonald Islands
HN HND Honduras
HK HKG Hong Kong = Hong Kong SAR = Hong Kong SAR China
HU HUN Hungary
IS ISL Iceland
IN IND India
ID IDN Indonesia
IR IRN Iran = Islamic Republic of Iran = Iran, Islamic Republic of
IQ IRQ Iraq
IE IRL Ireland = Republic of Ireland
IM IMN Isle of Man
IL ISR Israel
IT ITA Italy
JM JAM Jamaica
JP JPN Japan
JE JEY Jersey
JO JOR Jordan
KZ KAZ Kazakhstan
KE KEN Kenya
KI KIR Kiribati
XK XKX Kosovo = XKK
KW KWT Kuwait
KG KGZ Kyrgyzstan
LA LAO Laos = Lao People's Democratic Republic
LV LVA Latvia
LB LBN Lebanon
LS LSO Lesotho
LR LBR Liberia
LY LBY Libya
LI LIE Liechtenstein
LT LTU Lithuania
LU LUX Luxembourg
MO MAC Macao = Macau = Macao SAR = Macao SAR China
MG MDG Madagascar
MW MWI Malawi
MY MYS Malaysia
MV MDV Maldives
ML MLI Mali
MT MLT Malta
MH MHL Marshall Islands
MQ MTQ Martinique
MR MRT Mauritania
MU MUS Mauritius
YT MYT Mayotte
MX MEX Mexico
FM FSM Micronesia = Federated States of Micronesia = Micronesia, Federated States of
MD MDA Moldova = Republic of Moldova = Moldova, Republic of
MC MCO Monaco
MN MNG Mongolia
ME MNE Montenegro
MS MSR Montserrat
MA MAR Morocco
MZ MOZ Mozambique
MM MMR Myanmar = Burma = Myanmar (Burma)
NA NAM Namibia
NR NRU Nauru
NP NPL Nepal
NL NLD Netherlands = Kingdom of the Netherlands = Holland
NC NCL New Caledonia
NZ NZL New Zealand
NI NIC Nicaragua
NE NER Niger
NG NGA Nigeria
NU NIU Niue
NF NFK Norfolk Island
KP PRK North Korea = Korea, Democratic People's Republic of = Democratic People's Republic of Korea
MK MKD North Macedonia = Republic of North Macedonia = Macedonia
MP MNP Northern Mariana Islands
NO NOR Norway
OM OMN Oman
PK PAK Pakistan
PW PLW Palau
PS PSE Palestine = State of Palestine = Palestine, State of = Palestinian Territories
PA PAN Panama
PG PNG Papua New Guinea
PY PRY Paraguay
PE PER Peru
PH PHL Philippines
PN PCN Pitcairn = Pitcairn Islands
PL POL Poland
PT PRT Portugal
PR PRI Puerto Rico
QA QAT Qatar
RE REU Réunion
RO ROU Romania
RU RUS Russia = Russian Federation
RW RWA Rwanda
BL BLM Saint Barthélemy
SH SHN Saint Helena = Saint Helena, Ascension and Tristan da Cunha
KN KNA Saint Kitts and Nevis
LC LCA Saint Lucia
MF MAF Saint Martin = Saint Martin (French part)
PM SPM Saint Pierre and Miquelon
VC VCT Saint Vincent and the Grenadines
WS WSM Samoa
SM SMR San Marino
ST STP São Tomé and Príncipe
SA SAU Saudi Arabia
SN SEN Senegal
RS SRB Serbia
SC SYC Seychelles
SL SLE Sierra Leone
SG SGP Singapore
SX SXM Sint Maarten = Sint Maarten (Dutch part)
SK SVK Slovakia = Slovak Republic
SI SVN Slovenia
SB SLB Solomon Islands
SO SOM Somalia
ZA ZAF South Africa
GS SGS South Georgia and the South Sandwich Islands
KR KOR South Korea = Republic of Korea = Korea, Republic of
SS SSD South Sudan
ES ESP Spain
LK LKA Sri Lanka
SD SDN Sudan
SR SUR Suriname
SJ SJM Svalbard and Jan Mayen
SE SWE Sweden
CH CHE Switzerland
SY SYR Syria = Syrian Arab Republic
TW TWN Taiwan = Taiwan, Province of China
TJ TJK Tajikistan
TZ TZA Tanzania = United Republic of Tanzania = Tanzania, United Republic of
TH THA Thailand
TL TLS Timor-Leste = East Timor
TG TGO Togo
TK TKL Tokelau
TO TON Tonga
TT TTO Trinidad and Tobago
TN TUN Tunisia
TR TUR Türkiye = Turkey
TM TKM Turkmenistan
TC TCA Turks and Caicos Islands
TV TUV Tuvalu
UG UGA Uganda
UA UKR Ukraine
AE ARE United Arab Emirates = UAE
GB GBR United Kingdom = UK = Great Britain = United Kingdom of Great Britain and Northern Ireland
US USA United States = United States of America
UM UMI United States Minor Outlying Islands
UY URY Uruguay
VI VIR US Virgin Islands = Virgin Islands, U.S. = United States Virgin Islands
UZ UZB Uzbekistan
VU VUT Vanuatu
VA VAT Vatican City = Holy See = Holy See (Vatican City State)
VE VEN Venezuela = Bolivarian Republic of Venezuela = Venezuela, Bolivarian Republic of
VN VNM Vietnam = Viet Nam
WF WLF Wallis and Futuna
EH ESH Western Sahara
YE YEM Yemen
ZM ZMB Zambia
ZW ZWE Zimbabwe
`;
