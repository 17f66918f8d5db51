// Package fabric compiles a declared intent into a design: it decides every address, number, port
// and cable that the operator left open.
//
// The rule that matters most: allocation is a pure function of stable numbers (a site's, a
// device's, a tenant's, a segment's, a cable's ends), so adding or removing one thing never
// renumbers another.
package fabric
