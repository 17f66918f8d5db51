// Package controller keeps a network as intended: what is intended revision by revision, where each device stands, what it has
// that nobody intended, and what is to be done about that.
//
// The rule that matters most: everything here is level-triggered. An event says that something may have changed and is forgotten; what
// is true is read again. So a lost event delays, and never loses.
//
// The package knows no driver, socket or store: cmd/loom hands them in, and so can a test.
package controller
