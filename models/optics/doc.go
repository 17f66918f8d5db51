// Package optics holds what transceivers, fibres and amplifiers can do, as data: each with its source.
package optics
