package wording

var zhDialect = map[string]string{}
