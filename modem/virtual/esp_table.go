package virtual

// An espHandler is one form of a command. It runs in a task of its own and may
// wait; when the life ends meanwhile, what it returns is not looked at.
type espHandler func(c *espCall) result

// An espCommand is a command in the forms that it has; the others are errors.
type espCommand struct {
	test, query, set, execute espHandler

	only byte // onlyV1, onlyV2, 0 both
}

const (
	onlyV1 = 1 // AT 1.x
	onlyV2 = 2 // ESP-AT
)

// espTable is the command table of AT 1.7.6, and what ESP-AT adds. A command
// with _CUR and _DEF stands in it under each name.
var espTable = espCommands()

func espCommands() map[string]espCommand {
	t := make(map[string]espCommand)
	for _, theme := range []map[string]espCommand{
		espBasic, espPins, espWiFiCommands, espAddresses, espConnections, espSending, espBuffered, espReceiving, espServing, espUtilities, espMQTTCommands,
	} {
		for name, c := range theme {
			t[name] = c
		}
	}
	for _, name := range []string{"+CWMODE", "+CWJAP", "+CWSAP", "+CWDHCP", "+CIPSTAMAC", "+CIPAPMAC", "+CIPSTA", "+CIPAP", "+UART"} {
		suffixed(t, name)
	}
	return t
}

// suffixed adds the forms of a name with _CUR and _DEF, which ESP-AT has for
// the UART only.
func suffixed(t map[string]espCommand, name string) {
	c := t[name]
	if name != "+UART" {
		c.only = onlyV1
	}
	t[name+"_CUR"], t[name+"_DEF"] = c, c
}
