package thing

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/matou-iot/matou/internal/wording"
)

// maxElements bounds an array whose type has no bound of its own.
const maxElements = 10_000

// checkStruct checks each member and writes the object anew, in the order of
// the model's fields. Members that the model does not have refuse it.
func (t *DataType) checkStruct(path string, v Value, r Rules) (Value, Problem, bool) {
	if v.Shape != Object {
		return t.wrong(path, v)
	}
	members, err := membersOf(v.Text)
	if err != nil {
		return t.wrong(path, v)
	}
	var note Problem
	out := []byte{'{'}
	for i := range t.Fields {
		f := &t.Fields[i]
		at := path + "." + f.ID
		m, there := take(&members, f.ID)
		if !there {
			if f.Required {
				return v, Problem{Fault: Missing, Path: at, Want: f.Type.String(), WantZH: f.Type.StringZH(), Expected: f.Type.Kind}, false
			}
			continue
		}
		checked, p, ok := f.Type.Check(at, m, r)
		if !ok {
			return v, p, false
		}
		if p.Fault != NoMistake && note.Fault == NoMistake {
			note = p
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(AppendText(out, f.ID), ':')
		out = checked.AppendJSON(out)
	}
	if len(members) > 0 {
		return v, Problem{Fault: Unknown, Path: path + "." + members[0].ID, Got: members[0].Value.short()}, false
	}
	return ObjectValue(string(append(out, '}'))), note, true
}

// checkArray checks each element.
func (t *DataType) checkArray(path string, v Value, r Rules) (Value, Problem, bool) {
	if v.Shape != List {
		return t.wrong(path, v)
	}
	var elements []Value
	if json.Unmarshal([]byte(v.Text), &elements) != nil {
		return t.wrong(path, v)
	}
	if len(elements) > maxElements {
		return v, t.problem(TooLong, path, v), false
	}
	var note Problem
	if t.Size > 0 && len(elements) > t.Size {
		note = t.problem(TooLong, path, v)
		note.Got = strconv.Itoa(len(elements)) + " elements"
	}
	out := []byte{'['}
	for i, e := range elements {
		checked, p, ok := t.Item.Check(path+"["+strconv.Itoa(i)+"]", e, r)
		if !ok {
			return v, p, false
		}
		if p.Fault != NoMistake && note.Fault == NoMistake {
			note = p
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = checked.AppendJSON(out)
	}
	return ListValue(string(append(out, ']'))), note, true
}

// membersOf reads an object's members in order; a name that stands twice
// counts with its last value, as encoding/json has it.
func membersOf(object string) ([]Argument, error) {
	dec := json.NewDecoder(bytes.NewReader([]byte(object)))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, wording.Errorf("thing: no object: %w", err)
	}
	var args []Argument
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, err
		}
		a := Argument{ID: name.(string)}
		if err := dec.Decode(&a.Value); err != nil {
			return nil, err
		}
		take(&args, a.ID)
		args = append(args, a)
	}
	return args, nil
}

// take removes and returns an argument.
func take(args *[]Argument, id string) (Value, bool) {
	for i, a := range *args {
		if a.ID == id {
			*args = append((*args)[:i:i], (*args)[i+1:]...)
			return a.Value, true
		}
	}
	return Value{}, false
}
