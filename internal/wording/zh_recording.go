package wording

var zhRecording = map[string]string{}
