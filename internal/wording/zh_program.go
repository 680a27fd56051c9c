package wording

var zhProgram = map[string]string{}
