package app

import "testing"

func TestSettingsSayFromWhereAndKeepSecrets(t *testing.T) {
	c := Default()
	c.API.AdminPassword = "a secret"
	c.Bench.Modules = 3
	c.Log.Level = "debug"
	found := map[string]string{}
	for _, s := range c.settings([]string{"MATOU_LOG_LEVEL=debug", "MATOU_API_ADMIN_PASSWORD=a secret"}) {
		if s.Value == "a secret" {
			t.Errorf("%s shows a secret", s.Key)
		}
		found[s.Key] = s.Value + " by " + s.Source
	}
	for key, want := range map[string]string{
		"bench.modules": "3 by file or flag", "log.level": "debug by environment", "api.listen": "127.0.0.1:7080 by default",
		"devices.listen": ":1883, :8883 by default", "history.keep": "2160h0m0s by default",
	} {
		if found[key] != want {
			t.Errorf("%s: %q, not %q", key, found[key], want)
		}
	}
}
