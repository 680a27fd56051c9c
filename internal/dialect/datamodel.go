package dialect

// A Chooser is a dialect whose products choose among data models. What is not
// of the model that was chosen is told apart by the Dialect that Of returns.
type Chooser interface {
	// Of returns the dialect as products of a data model speak it. A model that
	// it does not know is the usual one.
	Of(dataModel string) Dialect
}

// Choose returns d as products of a data model speak it: d itself where there
// is nothing to choose.
func Choose(d Dialect, dataModel string) Dialect {
	if c, ok := d.(Chooser); ok {
		return c.Of(dataModel)
	}
	return d
}
