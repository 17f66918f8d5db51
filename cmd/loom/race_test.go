//go:build race

package main

// raced tells whether the race detector watches: GoBGP then takes ten times as long.
const raced = true
