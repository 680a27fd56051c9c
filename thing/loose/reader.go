package loose

import (
	"unicode/utf16"
	"unicode/utf8"

	"github.com/matou-iot/matou/thing"
)

// A Reader reads one document held in memory, token by token. The zero value
// waits for Reset. It is not safe for use by several goroutines at once; kept
// and Reset again it allocates nothing.
type Reader struct {
	doc     []byte
	pos     int
	depth   int
	stack   [MaxDepth]byte // '{' or '[' of each open level
	state   state
	text    []byte // of the current Key, Str or Num
	bare    bool   // the current Str had no quotes
	scratch []byte // for strings with escapes
	loose   Looseness
	err     *Error
}

// A state is what may come next.
type state byte

const (
	wantValue state = iota // a value must come
	wantFirst              // a value, or the end of the container just opened
	wantColon              // the value of the key just read, after a colon
	wantNext               // a comma or the end of the container
	wantMore               // behind a comma: a value, or loosely the end
	done
)

// Reset begins to read doc, which the reader keeps until the next Reset.
// Control bytes and blanks behind the document do not belong to it.
func (r *Reader) Reset(doc []byte) {
	end := len(doc)
	r.loose = 0
	for end > 0 && doc[end-1] <= ' ' {
		end--
		if c := doc[end]; c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			r.loose = TrailingBytes
		}
	}
	r.doc, r.pos, r.depth, r.state, r.text, r.err = doc[:end], 0, 0, wantValue, nil, nil
	if len(r.doc) >= 3 && r.doc[0] == 0xef && r.doc[1] == 0xbb && r.doc[2] == 0xbf {
		r.fail("a byte order mark before the document", "save the text as UTF-8 without a mark")
	}
}

// Loose returns the liberties met so far.
func (r *Reader) Loose() Looseness { return r.loose }

// Bytes returns the text of the current Key, Str or Num, without quotes and
// escapes. It aliases the document or memory of the reader and is valid until
// the next call of Next.
func (r *Reader) Bytes() []byte { return r.text }

// InPlace reports whether Bytes aliases the document itself, so that it stays
// valid beyond the next call of Next.
func (r *Reader) InPlace() bool {
	return len(r.text) == 0 || len(r.scratch) == 0 || &r.text[0] != &r.scratch[0]
}

// Offset is the byte of the document that is read next.
func (r *Reader) Offset() int { return r.pos }

// Err says why Next returned Bad; nil otherwise.
func (r *Reader) Err() error {
	if r.err == nil {
		return nil
	}
	return r.err
}

func (r *Reader) fail(what, hint string) Token {
	if r.err == nil {
		r.err = &Error{r.pos, what, hint}
	}
	return Bad
}

func (r *Reader) blanks() {
	for r.pos < len(r.doc) {
		switch r.doc[r.pos] {
		case ' ', '\n', '\r', '\t':
			r.pos++
		default:
			return
		}
	}
}

const truncated = "the message was cut off: a buffer or a declared length is too small"

// Next reads the next token.
func (r *Reader) Next() Token {
	if r.err != nil {
		return Bad
	}
	for {
		r.blanks()
		if r.pos == len(r.doc) {
			return r.end()
		}
		c := r.doc[r.pos]
		switch r.state {
		case done:
			return r.fail("something follows the end of the document", "")
		case wantColon:
			if c != ':' {
				if r.typed() {
					return Bad
				}
				return r.fail("a colon is missing behind the name", "")
			}
			r.pos++
			r.state = wantValue
			continue
		case wantNext:
			if c == ',' {
				r.pos++
				r.state = wantMore
				continue
			}
			if c == '}' || c == ']' {
				return r.close(c)
			}
			if r.typed() {
				return Bad
			}
			return r.fail("a comma or a closing bracket is missing", "quotes inside a text must be escaped")
		case wantMore, wantFirst:
			if c == ',' {
				r.loose |= ExtraCommas
				r.pos++
				r.state = wantMore
				continue
			}
			if c == '}' || c == ']' {
				if r.state == wantMore {
					r.loose |= ExtraCommas
				}
				return r.close(c)
			}
			if r.stack[r.depth-1] == '{' {
				return r.key(c)
			}
		}
		return r.value(c)
	}
}

func (r *Reader) end() Token {
	switch {
	case r.state == done:
		return EOF
	case len(r.doc) == 0:
		return r.fail("the document is empty", "")
	}
	return r.fail("the document ends too early", truncated)
}

func (r *Reader) close(c byte) Token {
	if r.depth == 0 || r.stack[r.depth-1] != c-2 { // '{'+2 is '}', '['+2 is ']'
		return r.fail("a closing bracket without its opening one", "")
	}
	r.pos++
	r.depth--
	r.after()
	if c == '}' {
		return EndObject
	}
	return EndArray
}

// after is the state behind a complete value.
func (r *Reader) after() {
	r.state = wantNext
	if r.depth == 0 {
		r.state = done
	}
}

func (r *Reader) open(c byte) Token {
	if r.depth == MaxDepth {
		return r.fail("objects and arrays are nested too deeply", "")
	}
	r.stack[r.depth] = c
	r.depth++
	r.pos++
	r.state = wantFirst
	if c == '{' {
		return BeginObject
	}
	return BeginArray
}

func (r *Reader) key(c byte) Token {
	switch {
	case c == '"' || c == '\'':
		if !r.quoted(c) {
			return Bad
		}
	case r.typed():
		return Bad
	case bareKeyStart(c):
		start := r.pos
		for r.pos < len(r.doc) && bareKeyByte(r.doc[r.pos]) {
			r.pos++
		}
		// In {a:b:1} the name is a:b; in {a:1} the colon ends it.
		r.text = r.doc[start:r.pos]
		for len(r.text) > 1 && r.text[len(r.text)-1] == ':' {
			r.text = r.text[:len(r.text)-1]
			r.pos--
		}
		if i := lastColon(r.text); i >= 0 && !r.colonFollows() {
			r.pos -= len(r.text) - i
			r.text = r.text[:i]
		}
		r.loose |= BareKeys
	default:
		return r.fail("a name is expected here", "")
	}
	r.state = wantColon
	return Key
}

// typed fails where a character stands that a Chinese input method, a chat or a
// word processor writes for one of JSON's own.
func (r *Reader) typed() bool {
	if r.doc[r.pos] < utf8.RuneSelf {
		return false
	}
	switch c, _ := utf8.DecodeRune(r.doc[r.pos:]); c {
	case '“', '”', '‘', '’', '„', '＂', '＇':
		r.fail("a curly quote where a straight one belongs", "chats and word processors change quotes: type them in the program itself")
	case '：', '，', '｛', '｝', '［', '］':
		r.fail("a full-width character where one of ASCII belongs", "switch the input method to English punctuation")
	default:
		return false
	}
	return true
}

func (r *Reader) colonFollows() bool {
	for _, c := range r.doc[r.pos:] {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return c == ':'
		}
	}
	return false
}

func lastColon(b []byte) int {
	for i := len(b) - 1; i > 0; i-- {
		if b[i] == ':' {
			return i
		}
	}
	return -1
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c == '$' || c >= 0x80 }
func digit(c byte) bool  { return c >= '0' && c <= '9' }

func bareKeyStart(c byte) bool { return letter(c) }
func bareKeyByte(c byte) bool {
	return letter(c) || digit(c) || c == ':' || c == '.' || c == '-'
}

func (r *Reader) value(c byte) Token {
	switch {
	case c == '{' || c == '[':
		return r.open(c)
	case c == '"' || c == '\'':
		if !r.quoted(c) {
			return Bad
		}
		r.bare = false
		r.after()
		return Str
	case digit(c) || c == '-' || c == '+' || c == '.':
		return r.number()
	case r.typed():
		return Bad
	case letter(c):
		return r.word()
	case c == '}' || c == ']' || c == ',':
		return r.fail("a value is missing", "a variable may have been empty when the text was put together")
	}
	return r.fail("a value is expected here", "")
}

// quoted reads a string that begins with quote q.
func (r *Reader) quoted(q byte) bool {
	if q == '\'' {
		r.loose |= SingleQuotes
	}
	start := r.pos + 1
	plain := true
	for i := start; i < len(r.doc); i++ {
		c := r.doc[i]
		switch {
		case c == q:
			r.text, r.pos = r.doc[start:i], i+1
			if !plain {
				return r.unescape(start, i)
			}
			return true
		case c == '\\':
			plain = false
			i++
		case c < 0x20:
			r.loose |= RawControl
		case c >= utf8.RuneSelf:
			if !validFrom(r.doc[i:]) {
				plain = false
				r.loose |= NotUTF8
			}
			// A valid sequence is plain; its other bytes pass here too.
			if n := sequence(r.doc[i:]); n > 1 {
				i += n - 1
			}
		}
	}
	r.fail("a text has no closing quote", truncated)
	return false
}

// sequence is the length of the UTF-8 sequence that b begins with, 1 where it
// is none.
func sequence(b []byte) int {
	_, n := utf8.DecodeRune(b)
	return n
}

func validFrom(b []byte) bool {
	c, n := utf8.DecodeRune(b)
	return c != utf8.RuneError || n > 1
}

// unescape writes the string between start and end into scratch. Bytes that
// are not UTF-8 become U+FFFD, as with encoding/json.
func (r *Reader) unescape(start, end int) bool {
	out := r.scratch[:0]
	b := r.doc[start:end]
	for i := 0; i < len(b); {
		c := b[i]
		if c != '\\' {
			if c < utf8.RuneSelf {
				out = append(out, c)
				i++
				continue
			}
			ru, n := utf8.DecodeRune(b[i:])
			out = utf8.AppendRune(out, ru)
			i += n
			continue
		}
		i++
		switch c = b[i]; c {
		case '"', '\\', '/', '\'':
			if c == '\'' {
				r.loose |= SingleQuotes
			}
			out = append(out, c)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			ru, n := escapedRune(b[i+1:])
			if n == 0 {
				r.pos = start + i
				r.fail(`\u without four hex digits`, "")
				return false
			}
			out = utf8.AppendRune(out, ru)
			i += n
		default:
			r.pos = start + i
			r.fail("an unknown escape in a text", `a backslash is written \\`)
			return false
		}
		i++
	}
	r.scratch, r.text = out, out
	return true
}

// escapedRune reads what follows \u, and the second half of a surrogate pair.
func escapedRune(b []byte) (ru rune, n int) {
	first, ok := hex4(b)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(first) {
		return first, 4
	}
	if len(b) >= 10 && b[4] == '\\' && b[5] == 'u' {
		if second, ok := hex4(b[6:]); ok {
			if ru := utf16.DecodeRune(first, second); ru != utf8.RuneError {
				return ru, 10
			}
		}
	}
	return utf8.RuneError, 4
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var v rune
	for _, c := range b[:4] {
		switch {
		case digit(c):
			v = v<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			v = v<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return v, true
}

// number reads a number. Its text is what JSON would write, as far as that is
// a part of the document.
func (r *Reader) number() Token {
	start := r.pos
	negative := false
	switch r.doc[r.pos] {
	case '+':
		r.loose |= LeadingPlus
		r.pos++
		start = r.pos
	case '-':
		negative = true
		r.pos++
	}
	whole := r.digits()
	if whole > 1 && r.doc[r.pos-whole] == '0' {
		r.loose |= LeadingZeros
	}
	fraction := 0
	if r.pos < len(r.doc) && r.doc[r.pos] == '.' {
		r.pos++
		fraction = r.digits()
		if whole == 0 || fraction == 0 {
			r.loose |= LoosePoint
		}
	}
	if whole+fraction == 0 {
		return r.notANumber()
	}
	if r.pos < len(r.doc) && r.doc[r.pos]|0x20 == 'e' {
		r.pos++
		if r.pos < len(r.doc) && (r.doc[r.pos] == '+' || r.doc[r.pos] == '-') {
			r.pos++
		}
		if r.digits() == 0 {
			return r.fail("an exponent without digits", "")
		}
	}
	if r.pos < len(r.doc) && (letter(r.doc[r.pos]) || r.doc[r.pos] == '.') {
		if r.typed() {
			return Bad
		}
		return r.fail("a number with something behind it", "a text needs quotes")
	}
	r.text = r.doc[start:r.pos]
	if r.loose&(LeadingZeros|LoosePoint) != 0 {
		r.text = r.tidy(r.text, negative)
	}
	r.after()
	return Num
}

// notANumber tells inf and nan from other things that begin like a number.
func (r *Reader) notANumber() Token {
	if r.pos < len(r.doc) && (r.doc[r.pos]|0x20 == 'i' || r.doc[r.pos]|0x20 == 'n') {
		return r.fail("infinity or nan is no JSON", sensorFailed)
	}
	return r.fail("a sign or point without a number", "")
}

const sensorFailed = "a sensor read failed, or something was divided by zero"

func (r *Reader) digits() (n int) {
	for r.pos < len(r.doc) && digit(r.doc[r.pos]) {
		r.pos++
		n++
	}
	return n
}

// tidy writes 007, .5 and 5. as JSON has them.
func (r *Reader) tidy(b []byte, negative bool) []byte {
	out := r.scratch[:0]
	if negative {
		out, b = append(out, '-'), b[1:]
	}
	for len(b) > 1 && b[0] == '0' && digit(b[1]) {
		b = b[1:]
	}
	if b[0] == '.' {
		out = append(out, '0')
	}
	for i, c := range b {
		out = append(out, c)
		if c == '.' && (i+1 == len(b) || !digit(b[i+1])) {
			out = append(out, '0')
		}
	}
	r.scratch = out
	return out
}

// word reads true, false, null, or a string without quotes.
func (r *Reader) word() Token {
	start := r.pos
	for r.pos < len(r.doc) && (letter(r.doc[r.pos]) || digit(r.doc[r.pos]) || r.doc[r.pos] == '.' || r.doc[r.pos] == '-') {
		r.pos++
	}
	r.text = r.doc[start:r.pos]
	t := Str
	switch string(r.text) {
	case "true":
		t = True
	case "false":
		t = False
	case "null":
		t = Nil
	case "nan", "NaN", "NAN", "inf", "Inf", "INF", "Infinity", "infinity":
		r.pos = start
		return r.fail("nan or infinity is no JSON", sensorFailed)
	default:
		if r.depth == 0 {
			r.pos = start
			return r.fail("this is no JSON", "the payload is plain text")
		}
		if !utf8.Valid(r.text) {
			r.pos = start
			return r.fail("a word that is not UTF-8", "text must be UTF-8, not GBK")
		}
		r.loose |= BareStrings
		r.bare = true
	}
	r.after()
	return t
}

// Skip passes over the value that comes next and returns its text in the
// document, quotes and all.
func (r *Reader) Skip() (raw []byte, ok bool) {
	start := -1
	for depth := r.depth; ; {
		before := r.pos
		t := r.Next()
		if start < 0 {
			start = r.startOf(t, before)
		}
		if t == Bad || t == EOF {
			return nil, false
		}
		if r.depth == depth && t != Key {
			return r.doc[start:r.pos], true
		}
	}
}

// startOf finds where the token that was just read begins: behind the colon,
// comma and blanks that Next passed over.
func (r *Reader) startOf(_ Token, before int) int {
	for before < r.pos {
		switch r.doc[before] {
		case ' ', '\n', '\r', '\t', ':', ',':
			before++
		default:
			return before
		}
	}
	return before
}

// Value returns the value that token t, the last one of Next, begins: a
// scalar at once, an object or list as compact strict JSON with the reader
// behind it. It reports false for a Key, an end, or a value that cannot be
// read.
func (r *Reader) Value(t Token) (thing.Value, bool) {
	switch t {
	case True, False:
		return thing.BoolValue(t == True), true
	case Nil:
		return thing.NullValue, true
	case Num:
		return r.numeric()
	case Str:
		return thing.TextValue(string(r.text)), true
	case BeginObject, BeginArray:
		out, ok := r.compact(nil, t)
		if !ok {
			return thing.Value{}, false
		}
		if t == BeginObject {
			return thing.ObjectValue(string(out)), true
		}
		return thing.ListValue(string(out)), true
	}
	return thing.Value{}, false
}

// compact appends the compound that t has begun as strict JSON.
func (r *Reader) compact(out []byte, t Token) ([]byte, bool) {
	depth := r.depth - 1
	first := true
	if t == BeginObject {
		out = append(out, '{')
	} else {
		out = append(out, '[')
	}
	for {
		t := r.Next()
		if !first && t != EndObject && t != EndArray && out[len(out)-1] != ':' {
			out = append(out, ',')
		}
		first = false
		switch t {
		case BeginObject:
			out, first = append(out, '{'), true
		case BeginArray:
			out, first = append(out, '['), true
		case EndObject:
			out = append(out, '}')
		case EndArray:
			out = append(out, ']')
		case Key:
			out = append(thing.AppendText(out, r.text), ':')
		case Bad, EOF:
			return out, false
		default:
			v, ok := r.Value(t)
			if !ok {
				return out, false
			}
			out = v.AppendJSON(out)
		}
		if r.depth == depth {
			return out, true
		}
	}
}

// Strictify returns doc as compact strict JSON, for the paths that go on with
// encoding/json, and the liberties it took.
func Strictify(doc []byte) ([]byte, Looseness, error) {
	var r Reader
	r.Reset(doc)
	var out []byte
	switch t := r.Next(); t {
	case Bad, EOF:
		return nil, r.loose, r.Err()
	default:
		v, ok := r.Value(t)
		if !ok {
			return nil, r.loose, r.Err()
		}
		out = v.AppendJSON(nil)
	}
	if r.Next() != EOF {
		return nil, r.loose, r.Err()
	}
	return out, r.loose, nil
}
