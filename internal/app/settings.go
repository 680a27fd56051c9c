package app

import (
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/matou-iot/matou/internal/httpapi"
)

// secretKeys are the keys whose values nobody is shown.
var secretKeys = map[string]bool{"api.adminPassword": true}

// settings is the configuration as the server runs with it, key by key in the
// order of the file. environ says which variables were set.
func (c *Config) settings(environ []string) []httpapi.Setting {
	set := map[string]bool{}
	for _, e := range environ {
		name, _, _ := strings.Cut(e, "=")
		set[name] = true
	}
	usual := Default()
	return appendSettings(nil, reflect.ValueOf(c).Elem(), reflect.ValueOf(&usual).Elem(), "", "MATOU", set)
}

func appendSettings(all []httpapi.Setting, v, usual reflect.Value, path, variable string, set map[string]bool) []httpapi.Setting {
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("yaml")
		s := httpapi.Setting{Key: path + key, Variable: variable + "_" + upperSnake(key)}
		if v.Field(i).Kind() == reflect.Struct {
			all = appendSettings(all, v.Field(i), usual.Field(i), s.Key+".", s.Variable, set)
			continue
		}
		if !secretKeys[s.Key] {
			s.Value, s.Usual = settingText(v.Field(i)), settingText(usual.Field(i))
			s.Source = "default"
			switch {
			case set[s.Variable]:
				s.Source = "environment"
			case s.Value != s.Usual:
				s.Source = "file or flag"
			}
			all = append(all, s)
		}
	}
	return all
}

func settingText(v reflect.Value) string {
	if v.Kind() == reflect.Slice {
		items := make([]string, v.Len())
		for i := range items {
			items[i] = fmt.Sprint(v.Index(i).Interface())
		}
		return strings.Join(items, ", ")
	}
	return fmt.Sprint(v.Interface())
}

// shownSettings is settings for the API.
func (a *App) shownSettings() []httpapi.Setting { return a.config.settings(os.Environ()) }
