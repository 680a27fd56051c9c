package wording

import (
	"maps"
	"sync"
)

// rooms are the files of the catalogue.
var rooms = map[string]map[string]string{
	"access": zhAccess, "app": zhApp, "bench": zhBench, "command": zhCommand, "content": zhContent, "dialect": zhDialect,
	"enroll": zhEnroll, "fileupload": zhFileUpload, "history": zhHistory, "modem": zhModem, "httpapi": zhHTTPAPI, "matou": zhMatou, "models": zhModels, "mqtt": zhMQTT, "ota": zhOTA,
	"program": zhProgram, "recording": zhRecording, "registry": zhRegistry, "remoteconfig": zhRemoteConfig, "script": zhScript,
	"several": zhSeveral, "shadow": zhShadow, "topics": zhTopics, "topology": zhTopology, "virtual": zhVirtual, "yamldoc": zhYAMLDoc,
}

// catalogue is all of them. The test sees to it that none says what another
// says.
var catalogue = sync.OnceValue(func() map[string]string {
	all := make(map[string]string)
	for _, room := range rooms {
		maps.Copy(all, room)
	}
	return all
})
