package wording

var zhVirtual = map[string]string{}
