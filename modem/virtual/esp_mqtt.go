package virtual

// espMQTTCommands are ESP-AT's own MQTT client.
var espMQTTCommands = map[string]espCommand{}

type espMQTT struct{}

func newESPMQTT() *espMQTT { return &espMQTT{} }

func (q *espMQTT) cut() {}
