//go:build !crashpoints

package crash

// Point is a place in the program, between two effects that outlive it. It is made by New alone.
type Point struct{ name string }

// Here is where the process may be killed by a test. It is safe for concurrent use.
func (p *Point) Here() {}
