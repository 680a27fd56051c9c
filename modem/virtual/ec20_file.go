package virtual

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// fileCommands are about the files of the module [EC2x FILE note].
var fileCommands = cellTable{
	"+QFUPL": {set: (*cellTurn).qfupl, testText: `+QFUPL: <filename>[,(1-1048576)[,(1-65535)]]`},
	"+QFLST": {set: (*cellTurn).qflst, execute: (*cellTurn).qflst, testText: "+QFLST: <name_pattern>"},
	"+QFDEL": {set: (*cellTurn).qfdel, testText: "+QFDEL: <filename>"},
	"+QFDWL": {set: (*cellTurn).qfdwl, testText: "+QFDWL: <filename>"},
	"+QFLDS": {set: (*cellTurn).qflds, execute: (*cellTurn).qflds},
}

// Bounds of the module's files.
const (
	maxFileName   = 80
	maxFiles      = 64
	maxFileBytes  = 1 << 20 // all files together
	uploadTimeout = 5       // seconds without a byte, unless the host says otherwise
)

// The errors of files.
const (
	cmeFileInvalid  = 400
	cmeFileTooLarge = 401
	cmeFileMissing  = 405
	cmeFileExists   = 407
)

func (t *cellTurn) stored() (n int) {
	for _, b := range t.flash.files {
		n += len(b)
	}
	return n
}

// qfupl is AT+QFUPL="<name>",<size>[,<timeout>].
func (t *cellTurn) qfupl() cellResult {
	name := t.text(1, maxFileName)
	size := t.length(1, maxFileBytes)
	idle := t.numberOr(uploadTimeout, 1, 65535)
	_, exists := t.flash.files[name]
	switch {
	case !t.end():
		return cme(cmeFileInvalid)
	case exists:
		return cme(cmeFileExists)
	case t.stored()+size > maxFileBytes || len(t.flash.files) == maxFiles:
		return cme(cmeFileTooLarge)
	}
	data, how := t.prompt("\r\nCONNECT\r\n", size, 0, time.Duration(idle)*time.Second, false)
	switch how {
	case promptOver:
		return cellSilent
	case promptIdle:
		return cme(cmeFileInvalid)
	}
	t.flash.files[name] = data
	t.say(fmt.Sprintf("+QFUPL: %d,%x", size, checksum(data)))
	return cellOK
}

// checksum is the exclusive or of the bytes, taken two at a time.
func checksum(b []byte) (sum uint16) {
	for pair := range slices.Chunk(b, 2) {
		sum ^= uint16(pair[0]) << 8
		if len(pair) == 2 {
			sum ^= uint16(pair[1])
		}
	}
	return sum
}

func (t *cellTurn) qflst() cellResult {
	pattern := t.textOr("*", maxFileName)
	if !t.end() {
		return cme(cmeFileInvalid)
	}
	for _, name := range slices.Sorted(maps.Keys(t.flash.files)) {
		if pattern == "*" || pattern == "UFS:*" || pattern == name {
			t.say(fmt.Sprintf(`+QFLST: "%s",%d`, name, len(t.flash.files[name])))
		}
	}
	return cellOK
}

func (t *cellTurn) qfdel() cellResult {
	name := t.text(1, maxFileName)
	_, exists := t.flash.files[name]
	switch {
	case !t.end():
		return cme(cmeFileInvalid)
	case name == "*":
		clear(t.flash.files)
	case !exists:
		return cme(cmeFileMissing)
	}
	delete(t.flash.files, name)
	return cellOK
}

func (t *cellTurn) qfdwl() cellResult {
	name := t.text(1, maxFileName)
	data, exists := t.flash.files[name]
	switch {
	case !t.end():
		return cme(cmeFileInvalid)
	case !exists:
		return cme(cmeFileMissing)
	}
	t.frame(t.l, "CONNECT")
	t.l.print(string(data))
	t.say(fmt.Sprintf("+QFDWL: %d,%x", len(data), checksum(data)))
	return cellOK
}

func (t *cellTurn) qflds() cellResult {
	t.textOr("UFS", 8)
	if !t.end() {
		return cme(cmeFileInvalid)
	}
	t.say("+QFLDS: " + csv(maxFileBytes-t.stored(), maxFileBytes))
	return cellOK
}
