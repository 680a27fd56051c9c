package thing

// An Argument is a named value: of a set, of a call, of an event.
type Argument struct {
	ID    string `json:"id"`
	Value Value  `json:"value"`
}

// AppendArguments appends args as one compact JSON object.
func AppendArguments(dst []byte, args []Argument) []byte {
	dst = append(dst, '{')
	for i, a := range args {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(AppendText(dst, a.ID), ':')
		dst = a.Value.AppendJSON(dst)
	}
	return append(dst, '}')
}

// ParseArguments reads the members of a strict JSON object, in order.
func ParseArguments(object []byte) ([]Argument, error) { return membersOf(string(object)) }

// CheckCall checks the input of a service call. All problems come back; with
// none the arguments are in the shapes that the model asks for, in its order.
func (m *Model) CheckCall(service string, input []Argument, r Rules) ([]Argument, []Problem) {
	s, ok := m.services[service]
	if !ok {
		return nil, []Problem{{Fault: Unknown, Path: service}}
	}
	return checkArguments(s.Input, input, r)
}

// CheckEvent checks the output of an event, as CheckCall does.
func (m *Model) CheckEvent(event string, output []Argument, r Rules) ([]Argument, []Problem) {
	e, ok := m.events[event]
	if !ok {
		return nil, []Problem{{Fault: Unknown, Path: event}}
	}
	return checkArguments(e.Output, output, r)
}

// CheckSet checks the values of a property set: known, writable, of the right
// type and within bounds. They stay in the order they came.
func (m *Model) CheckSet(values []Argument, r Rules) ([]Argument, []Problem) {
	var problems []Problem
	checked := make([]Argument, 0, len(values))
	for _, a := range values {
		p, ok := m.properties[a.ID]
		switch {
		case !ok:
			p := m.UnknownProperty(a.ID)
			p.Got = a.Value.short()
			problems = append(problems, p)
			continue
		case p.Access == ReadOnly:
			problems = append(problems, Problem{Fault: NotWritable, Path: a.ID, Got: a.Value.short(), Expected: p.Type.Kind})
			continue
		}
		v, problem, _ := p.Type.Check(a.ID, a.Value, r)
		if problem.Fault != NoMistake && problem.Fault != OffStep {
			problems = append(problems, problem)
			continue
		}
		checked = append(checked, Argument{a.ID, v})
	}
	return checked, problems
}

func checkArguments(params []Param, args []Argument, r Rules) ([]Argument, []Problem) {
	rest := append([]Argument(nil), args...)
	var problems []Problem
	checked := make([]Argument, 0, len(params))
	for i := range params {
		p := &params[i]
		v, there := take(&rest, p.ID)
		if !there {
			if p.Required {
				problems = append(problems, Problem{Fault: Missing, Path: p.ID, Want: p.Type.String(), WantZH: p.Type.StringZH(), Expected: p.Type.Kind})
			}
			continue
		}
		v, problem, _ := p.Type.Check(p.ID, v, r)
		if problem.Fault != NoMistake && problem.Fault != OffStep {
			problems = append(problems, problem)
			continue
		}
		checked = append(checked, Argument{p.ID, v})
	}
	for _, a := range rest {
		problems = append(problems, Problem{Fault: Unknown, Path: a.ID, Got: a.Value.short()})
	}
	return checked, problems
}
