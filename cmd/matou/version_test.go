package main

import "testing"

func TestVersionIsAskedForInTwoWays(t *testing.T) {
	for _, asked := range []string{"version", "--version"} {
		want := "$ matou " + asked + "\n-- stdout --\n" + versionLine() + "\n-- stderr --\n-- exit --\n0\n"
		if got := outcome([]string{asked}, ""); got != want {
			t.Errorf("%s, want\n%s", got, want)
		}
	}
}
