package wording

var zhModels = map[string]string{}
