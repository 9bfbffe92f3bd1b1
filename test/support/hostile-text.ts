import fc from 'fast-check';

/** Texts that have broken pages before, and any others. */
export const HOSTILE = fc.oneof(
	fc.constantFrom('<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "' autofocus onfocus='x", '</title><script>', '</style><b>', '`${x}`', '&lt;b&gt;', '\u0000<', '‮evil', '\uD800', 'javascript:x', '__proto__', 'constructor', 'toString', '${7*7}', ']]>'),
	fc.string({ unit: 'binary', maxLength: 40 }),
	fc.string({ unit: 'grapheme', maxLength: 40 }),
);
