// Package audit is the record of who did what: entries with one encoding, a Merkle tree over them (RFC 6962 §2.1), checkpoints that
// are signed, and a verification that names the first record that is not as it was written.
//
// The rule that matters most: a record that is in a tree of which somebody else has a signed checkpoint can be neither changed nor
// taken away without notice. What is behind the newest checkpoint is only as safe as the place where it is kept.
//
// It takes values and returns values: where records are kept, what time it is and where keys come from is its caller's business.
package audit
