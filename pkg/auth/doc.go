// Package auth says who is who: a local authority that signs certificates of controllers and people, and what a certificate says of
// its holder.
//
// The rule that matters most: time and randomness are passed in, and keys are bytes: where they are kept, and who may read them, is
// the caller's business.
package auth
