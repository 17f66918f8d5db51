//go:build race

package transaction

const raced = true
