// Package optics knows what a line does to light: how coherent channels come out of fibres, amplifiers and
// filters, which of them a receiver understands and with what margin, where in the spectrum they go, and
// with what power they are launched.
//
// The rule that matters most: everything here is a function of its arguments. The package imports nothing
// of Loom, reads no file, knows no device and no clock; the same line and the same channels give the
// same figures, in whatever order the channels are named.
//
// Propagation follows the Gaussian-noise model in its closed form (P. Poggiolini, "The GN model of
// fiber non-linear propagation and its applications", J. Lightwave Technol. 32, 2014; equations 120 and
// 123 of arXiv:1209.0394), with amplifiers of a flat gain and noise figure and without Raman
// scattering: the assumptions of the planner GNPy with its method gn_model_analytic, whose results
// the tests hold it against.
package optics
