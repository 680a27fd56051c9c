package dialect

// A Refusal is an error of serving a request that is the device's own doing:
// the timeline shows the Diagnosis, with the name of the dialect in front of
// its code. Cause is what Dialect.Answer looks for, an error of this package.
type Refusal struct {
	Diagnosis
	Cause error
}

// Error is the sentence.
func (r *Refusal) Error() string { return r.Sentence }

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Cause }

// A requestError is why a request was not served, for Dialect.Answer.
type requestError string

func (e requestError) Error() string { return string(e) }
