package api

import _ "embed"

// OpenAPI is the REST form of loom.v1 as an OpenAPI 2.0 document, in JSON.
//
//go:embed loom.swagger.json
var OpenAPI []byte
