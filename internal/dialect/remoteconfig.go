package dialect

// A ConfigGet asks for the remote configuration. Its result is a ConfigFile.
type ConfigGet struct{ Ask }

// A ConfigFile is where a device finds its remote configuration.
type ConfigFile struct {
	ID     string
	Size   int
	SHA256 string // hex
	URL    string
}

// A ConfigTaken says what became of a configuration that was pushed. Its
// result is Done; it is not answered.
type ConfigTaken struct {
	Ask
	Reply Reply
}

// Why a device gets no configuration.
const (
	ErrNoConfig  requestError = "the product has no remote configuration"
	ErrConfigOff requestError = "remote configuration is switched off for the product"
)

// A ConfigTeller is a dialect that tells devices of a configuration. id is
// that of the message, decimal digits.
type ConfigTeller interface {
	TellConfig(c Claim, id string, f ConfigFile) []Downlink
}
