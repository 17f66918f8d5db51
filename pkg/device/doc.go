// Package device speaks gNMI to one device: who it is, what it runs, and a change with its way back.
//
// The rule that matters most: an error says what is known about the outcome. A Set that may have
// reached the device and was not answered is never "failed": it is Unknown, and only a read-back
// tells what the device runs now.
package device
