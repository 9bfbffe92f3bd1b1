/**
 * States, provinces and territories as the post of the country abbreviates them: the code, the
 * name that is written, and after each = another name that is read.
 */
const UNITED_STATES = `
AL Alabama
AK Alaska
AZ Arizona
AR Arkansas
CA California
CO Colorado
CT Connecticut
DE Delaware
DC District of Columbia = Washington DC = Washington, D.C.
FL Florida
GA Georgia
HI Hawaii
ID Idaho
IL Illinois
IN Indiana
IA Iowa
KS Kansas
KY Kentucky
LA Louisiana
ME Maine
MD Maryland
MA Massachusetts
MI Michigan
MN Minnesota
MS Mississippi
MO Missouri
MT Montana
NE Nebraska
NV Nevada
NH New Hampshire
NJ New Jersey
NM New Mexico
NY New York = New York State
NC North Carolina
ND North Dakota
OH Ohio
OK Oklahoma
OR Oregon
PA Pennsylvania
RI Rhode Island
SC South Carolina
SD South Dakota
TN Tennessee
TX Texas
UT Utah
VT Vermont
VA Virginia
WA Washington = Washington State
WV West Virginia
WI Wisconsin
WY Wyoming
AS American Samoa
GU Guam
MP Northern Mariana Islands
PR Puerto Rico
UM US Minor Outlying Islands = United States Minor Outlying Islands
VI US Virgin Islands = Virgin Islands, U.S. = United States Virgin Islands
AA Armed Forces Americas
AE Armed Forces Europe
AP Armed Forces Pacific
`;

const CANADA = `
AB Alberta
BC British Columbia
MB Manitoba
NB New Brunswick
NL Newfoundland and Labrador = Newfoundland
NS Nova Scotia
NT Northwest Territories
NU Nunavut
ON Ontario
PE Prince Edward Island
QC Quebec
SK Saskatchewan
YT Yukon = Yukon Territory
`;

const AUSTRALIA = `
ACT Australian Capital Territory
NSW New South Wales
NT Northern Territory
QLD Queensland
SA South Australia
TAS Tasmania
VIC Victoria
WA Western Australia
`;

/** Country (alpha-2) → its table. */
export const STATES: ReadonlyMap<string, string> = new Map([
	['US', UNITED_STATES],
	['CA', CANADA],
	['AU', AUSTRALIA],
]);
