package network

// ComputeWith is Compute with other routes.
var ComputeWith = compute
