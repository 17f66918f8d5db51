// Package api is loom.v1: the messages and services that the controller speaks, generated from the protos below loom/, with a
// gateway that speaks them as REST (rest.yaml, loom.swagger.json).
package api

//go:generate ./generate.sh
