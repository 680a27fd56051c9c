package httpapi

import "context"

// A Setting is a key of the configuration as the server runs with it.
type Setting struct {
	Key      string `json:"key" doc:"As in the file"`
	Variable string `json:"variable" doc:"Of the environment"`
	Value    string `json:"value"`
	Usual    string `json:"default"`
	Source   string `json:"source" enum:"default,file or flag,environment" doc:"From where the value is"`
}

// listSettings shows no secrets: who makes the list leaves them out.
func (a *api) listSettings(context.Context, *none) (list[Setting], error) {
	if a.Settings == nil {
		return page[Setting](nil, ""), nil
	}
	return page(a.Settings(), ""), nil
}
