package recording

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestTranscripts(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
		notes      int
	}{
		{"packets themselves", `> \x10\x10\x00\x04MQTT\x04\x02\x00<\x00\x04test` + "\n" + `@0.250s < \x20\x02\x00\x00` + "\n" + `@1s > \xC0\x00`,
			[]string{"device 0s 101000044d5154540402003c000474657374", "broker 250ms 20020000", "device 1s c000"}, 0},
		{"AT+CIPSEND and +IPD", `# seed 002
> AT+CIPSEND=4\r\n
< AT+CIPSEND=4\r\n\r\nOK\r\n>\x20
> \xC0\x00\xC0\x00
< \r\nRecv 4 bytes\r\n\r\nSEND OK\r\n
! \r\n+IPD,4:\xD0\x00\xD0\x00\r\nCLOSED\r\n`, []string{"device 0s c000c000", "broker 0s d000d000"}, 0},
		{"in pieces", `> AT+CIPSEND=0,4\r
> \n\xC0
> \x00\xC0\x00AT\r\n
< \r\n+IP
< D,0,4,"10.0.0.1",18
< 83:\xD0
< \x00\xD0\x00`, []string{"device 0s c0", "device 0s 00c000", "broker 0s d0", "broker 0s 00d000"}, 0},
		{"refused data", `> AT+CIPSEND=2\r\n
< link is not valid\r\n\r\nERROR\r\n
> AT+CIPSEND=2\r\n
< \r\nOK\r\n>\x20
> \xC0\x00`, []string{"device 0s c000"}, 0},
		{"transparent", `> AT+CIPMODE=1\r\n
> AT+CIPSEND\r\n
< \r\nOK\r\n\r\n>
> \xC0\x00
< \xD0\x00
> +++
> AT\r\n
< \r\nOK\r\n`, []string{"device 0s c000", "broker 0s d000"}, 0},
		{"a Quectel socket", `> AT+QISEND=0,2\r\n
< \r\n>\x20
> \xC0\x00
! \r\n+QIURC: "recv",0,2\r\n\xD0\x00\r\n
< \r\n+QIRD: 2\r\n\xD0\x00\r\n\r\nOK\r\n`, []string{"device 0s c000", "broker 0s d000", "broker 0s d000"}, 0},
		{"a placeholder", `> AT+CIPSEND=2\r\n
< {{echo:.*}}\r\n>\x20
> \xC0\x00`, []string{"device 0s c000"}, 1},
		{"a log with the same marks", "> C000\n< D000\n", []string{"device 0s c000", "broker 0s d000"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all, err := Read([]byte(tt.text))
			if err != nil || len(all) != 1 {
				t.Fatalf("%+v, %v", all, err)
			}
			if got := short(all[0]); !reflect.DeepEqual(got, tt.want) || len(all[0].Notes) != tt.notes {
				t.Errorf("\n got %s\nwant %s\nnotes %q", strings.Join(got, "\n     "), strings.Join(tt.want, "\n     "), all[0].Notes)
			}
		})
	}
}

func TestModulesThatSpeakMQTTThemselves(t *testing.T) {
	_, err := Read([]byte("> AT+QMTOPEN=0,\"host\",1883\\r\\n\n< \\r\\nOK\\r\\n\n"))
	if !errors.Is(err, ErrEmpty) || !strings.Contains(err.Error(), "AT+QMTOPEN") {
		t.Errorf("%v", err)
	}
}

// A session with a module that never sent anything is told from a text.
func TestModulesThatSentNothing(t *testing.T) {
	_, err := Read([]byte("> AT+GMR\\r\\n\n< \\r\\nOK\\r\\n\n> AT+CWMODE=1\\r\\n\n"))
	if !errors.Is(err, ErrEmpty) || !strings.Contains(err.Error(), "2 command lines to a module") {
		t.Errorf("%v", err)
	}
}

// The golden transcripts of the modules are read, whatever is in them.
func TestGoldenTranscripts(t *testing.T) {
	files, _ := filepath.Glob("../../modem/testdata/*/*.at")
	if len(files) == 0 {
		t.Skip("SKIPPED: there are no golden transcripts in modem/testdata")
	}
	found := 0
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all, err := Read(raw)
		if err != nil && !errors.Is(err, ErrEmpty) {
			t.Errorf("%s: %v", name, err)
		}
		for _, r := range all {
			found += len(r.Events)
		}
	}
	if found == 0 {
		t.Errorf("no data in %d transcripts", len(files))
	}
}
