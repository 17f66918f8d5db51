// Package verify compares the design of a fabric with what was observed of its devices, and names what
// differs, with the one cause that explains the rest.
//
// The rule that matters most: a finding is about objects, not about what a device happens to say of them.
// Its ID stays the same while the evidence changes, and is the same from whichever end it is seen, so that
// findings of two moments can be compared (see New).
//
// What a design asks of a device is a list of local contracts (RCDC, SIGCOMM 2019): each can be judged by
// what that one device shows. So a check costs what the observed devices cost, however large the fabric.
package verify
