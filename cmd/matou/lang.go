package main

import (
	"os"
	"strings"
)

// langFlag chooses the language of what people read: answers, and why
// something was refused.
type langFlag struct {
	Lang string `enum:",en,zh" default:"" help:"Language of answers and refusals: en or zh; left out, that of the environment." placeholder:"LANG"`
}

// chinese reports whether to answer in Chinese: as asked, or as the
// environment says.
func (f *langFlag) chinese() bool {
	if f.Lang != "" {
		return f.Lang == "zh"
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			return strings.HasPrefix(v, "zh")
		}
	}
	return false
}

// tag is what the API is told [RFC 9110 §12.5.4].
func (f *langFlag) tag() string {
	if f.chinese() {
		return "zh"
	}
	return "en"
}
