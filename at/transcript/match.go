package transcript

import "bytes"

// verdict is what a comparison of expected and received bytes says.
type verdict byte

const (
	matches verdict = iota
	wantsMore
	differs
)

// values are what names stand for so far.
type values map[string][]byte

// match compares the beginning of got with the parts. length is how much of
// got they cover if they match, or where they differ.
func (v values) match(parts []Part, got []byte) (result verdict, length int) {
	if len(parts) == 0 {
		return matches, 0
	}
	p := parts[0]
	want, known := p.Bytes, p.Name == ""
	if !known {
		want, known = v[p.Name]
	}
	if !known {
		return v.search(p, parts[1:], got)
	}
	for i, c := range want {
		if i == len(got) {
			return wantsMore, i
		}
		if got[i] != c {
			return differs, i
		}
	}
	result, length = v.match(parts[1:], got[len(want):])
	return result, len(want) + length
}

// search tries what a name may stand for, the shortest first. length is where
// the best try broke off.
func (v values) search(p Part, rest []Part, got []byte) (result verdict, length int) {
	result = wantsMore
	for n := 0; n <= len(got); n++ {
		if n > maxPlaceholder || !p.lines && n > 0 && (got[n-1] == '\r' || got[n-1] == '\n') {
			if length == 0 {
				return differs, n - 1
			}
			return result, length
		}
		if !p.match.Match(got[:n]) {
			continue
		}
		v[p.Name] = bytes.Clone(got[:n])
		r, l := v.match(rest, got[n:])
		if r == matches {
			return matches, n + l
		}
		delete(v, p.Name)
		if length == 0 || r == wantsMore {
			result, length = r, n+l
		}
	}
	return wantsMore, len(got)
}

// fill writes parts with their values; missing is a name without one.
func (v values) fill(parts []Part) (b []byte, missing string) {
	for _, p := range parts {
		if p.Name == "" {
			b = append(b, p.Bytes...)
			continue
		}
		value, known := v[p.Name]
		if !known {
			return nil, p.Name
		}
		b = append(b, value...)
	}
	return b, ""
}
