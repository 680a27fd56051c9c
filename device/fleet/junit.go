package fleet

import (
	"encoding/xml"
	"fmt"
	"io"
)

// WriteJUnit writes the checks as the test report that CI systems read: one
// case a check, and one that the run came to its end.
func (r *Result) WriteJUnit(w io.Writer) error {
	type failure struct {
		Message string `xml:"message,attr"`
	}
	type testCase struct {
		Class   string   `xml:"classname,attr"`
		Name    string   `xml:"name,attr"`
		Time    string   `xml:"time,attr"`
		Failure *failure `xml:"failure,omitempty"`
	}
	type suite struct {
		XMLName  xml.Name   `xml:"testsuite"`
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Time     string     `xml:"time,attr"`
		Cases    []testCase `xml:"testcase"`
	}
	s := suite{Name: "matou fleet " + r.Scenario, Time: fmt.Sprintf("%.3f", r.Seconds)}
	add := func(name, message string) {
		c := testCase{Class: "fleet." + r.Scenario, Name: name, Time: "0"}
		if message != "" {
			c.Failure = &failure{message}
			s.Failures++
		}
		s.Cases = append(s.Cases, c)
		s.Tests++
	}
	ended := ""
	if r.Interrupted {
		ended = "the run was interrupted"
	}
	add("ran to its end", ended)
	for _, c := range r.Checks {
		message := ""
		if !c.OK {
			message = fmt.Sprintf("want %s, got %s", c.Want, c.Got)
		}
		add(c.Name, message)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(s); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
