package httpapi

import "github.com/matou-iot/matou/internal/access"

// routes is the whole of the API.
func (a *api) routes() {
	const (
		see  = access.Viewer
		work = access.OperatorRole
		rule = access.Administrator
	)

	route(a, "GET", "/products", see, "Products", "List products", a.listProducts)
	route(a, "POST", "/products", work, "Products", "Make a product", a.createProduct, creates)
	route(a, "GET", "/products/{product}", see, "Products", "Show a product", a.showProduct)
	route(a, "PATCH", "/products/{product}", work, "Products", "Change a product", a.changeProduct)
	do(a, "DELETE", "/products/{product}", work, "Products", "Delete a product", a.deleteProduct)
	route(a, "POST", "/products/{product}/secret", work, "Products", "Give a product another secret", a.resetProductSecret)
	raw(a, "GET", "/products/{product}/model", see, "Products", "Export the thing model", a.exportModel)
	route(a, "PUT", "/products/{product}/model", work, "Products", "Import and publish a thing model", a.importModel, body(modelBody), anyBody)

	route(a, "GET", "/devices", see, "Devices", "List devices of all products", a.listAllDevices)
	route(a, "GET", "/products/{product}/devices", see, "Devices", "List devices", a.listDevices)
	route(a, "POST", "/products/{product}/devices", work, "Devices", "Make a device", a.createDevice, creates)
	route(a, "POST", "/products/{product}/devices/batch", work, "Devices", "Make many devices, all or none", a.createDevices, creates, body(batchBody))
	route(a, "POST", "/products/{product}/devices.csv", work, "Devices", "Make devices from CSV, all or none", a.importCSV, creates, body(batchBody), anyBody)
	raw(a, "GET", "/products/{product}/devices.csv", work, "Devices", "Export devices with their secrets as CSV", a.exportCSV)
	route(a, "GET", "/products/{product}/devices/{device}", see, "Devices", "Show a device", a.showDevice)
	route(a, "PATCH", "/products/{product}/devices/{device}", work, "Devices", "Change, enable or disable a device", a.changeDevice)
	do(a, "DELETE", "/products/{product}/devices/{device}", work, "Devices", "Delete a device and all it said", a.deleteDevice)
	route(a, "POST", "/products/{product}/devices/{device}/secret", work, "Devices", "Give a device another secret", a.resetDeviceSecret)
	route(a, "PATCH", "/products/{product}/devices/{device}/tags", work, "Devices", "Set and take away tags", a.changeTags)
	route(a, "GET", "/products/{product}/devices/{device}/status", see, "Devices", "Is it there, since when, why not", a.deviceStatus)
	route(a, "GET", "/products/{product}/devices/{device}/credentials", work, "Devices", "What the device has to send to log in", a.deviceCredentials)

	route(a, "PATCH", "/products/{product}/registration", work, "Registration", "Say which devices of a product may register by themselves", a.changeRegistration)
	route(a, "GET", "/products/{product}/registration/names", see, "Registration", "List the names that may register", a.listNames)
	route(a, "POST", "/products/{product}/registration/names", work, "Registration", "Let names register", a.addNames, body(batchBody))
	route(a, "POST", "/products/{product}/registration/names/remove", work, "Registration", "Let names register no more", a.removeNames, body(batchBody))
	route(a, "GET", "/products/{product}/devices/{device}/registration", see, "Registration", "When and how a device registered", a.deviceRegistration)
	route(a, "POST", "/products/{product}/devices/{device}/reset", work, "Registration", "Let a device register again: it has never connected, and its secret is another", a.resetDevice)
	route(a, "PUT", "/products/{product}/devices/{device}/certificate", work, "Registration", "Bind a device to its X.509 certificate", a.bindCertificate)
	route(a, "DELETE", "/products/{product}/devices/{device}/certificate", work, "Registration", "Unbind a device from its certificate", a.unbindCertificate)
	route(a, "GET", "/products/{product}/batches", see, "Registration", "List batches", a.listBatches)
	route(a, "POST", "/products/{product}/batches", work, "Registration", "Make a batch of devices, all or none", a.createBatch, creates, body(batchBody))
	route(a, "GET", "/products/{product}/batches/{batch}", see, "Registration", "Show a batch", a.showBatch)
	route(a, "PATCH", "/products/{product}/batches/{batch}", work, "Registration", "Enable or disable all devices of a batch", a.changeBatch)
	do(a, "DELETE", "/products/{product}/batches/{batch}", work, "Registration", "Forget a batch without devices", a.deleteBatch)
	route(a, "GET", "/products/{product}/batches/{batch}/devices", see, "Registration", "List the devices of a batch: who registered and connected when", a.listBatchDevices)
	raw(a, "GET", "/products/{product}/batches/{batch}/devices.csv", work, "Registration", "Export a batch with its secrets as CSV", a.exportBatch)
	route(a, "GET", "/products/{product}/devices/{device}/subs", see, "Gateways", "List a gateway's sub-devices", a.listSubs)
	route(a, "POST", "/products/{product}/devices/{device}/subs", work, "Gateways", "Make devices sub-devices of a gateway, all or none", a.addSubs, creates)
	do(a, "DELETE", "/products/{product}/devices/{device}/subs/{subProduct}/{subDevice}", work, "Gateways", "Remove a sub-device from its gateway", a.removeSub)
	route(a, "GET", "/products/{product}/devices/{device}/subs-found", see, "Gateways", "Devices that a gateway has seen and does not have", a.listFound)
	route(a, "POST", "/products/{product}/devices/{device}/subs-ask", work, "Gateways", "Ask a gateway to add devices by itself", a.askSubs)
	route(a, "POST", "/products/{product}/devices/{device}/subs-permit", work, "Gateways", "Let a gateway take new sub-devices in for a while", a.permitSubs)

	route(a, "GET", "/products/{product}/devices/{device}/properties", see, "Data", "Latest values", a.latestValues)
	route(a, "POST", "/products/{product}/devices/{device}/properties", work, "Commands", "Set properties", a.setProperties)
	route(a, "GET", "/products/{product}/devices/{device}/properties/{property}/history", see, "Data", "Values over time", a.propertyHistory)
	route(a, "GET", "/products/{product}/devices/{device}/events", see, "Data", "Events that happened", a.listEvents)
	route(a, "POST", "/products/{product}/devices/{device}/services/{service}", work, "Commands", "Call a service", a.invokeService)
	route(a, "GET", "/products/{product}/devices/{device}/commands", see, "Commands", "Commands and how far they have come", a.listCommands)

	raw(a, "POST", "/products/{product}/ota/packages", work, "Upgrades", "Upload a package: the file as the body, or files as multipart/form-data", a.uploadPackage, creates, fileBody)
	raw(a, "PUT", "/products/{product}/ota/packages", work, "Upgrades", "Upload a package, the file as the body", a.uploadPackage, creates, fileBody)
	route(a, "GET", "/products/{product}/ota/packages", see, "Upgrades", "List packages", a.listPackages)
	route(a, "GET", "/products/{product}/ota/packages/{package}", see, "Upgrades", "Show a package", a.showPackage)
	do(a, "DELETE", "/products/{product}/ota/packages/{package}", work, "Upgrades", "Delete a package that no job needs", a.deletePackage)
	route(a, "POST", "/products/{product}/ota/jobs", work, "Upgrades", "Bring a package to devices", a.createUpgradeJob, creates)
	route(a, "GET", "/products/{product}/ota/jobs", see, "Upgrades", "List upgrade jobs", a.listUpgradeJobs)
	route(a, "GET", "/products/{product}/ota/jobs/{job}", see, "Upgrades", "Show an upgrade job", a.showUpgradeJob)
	route(a, "POST", "/products/{product}/ota/jobs/{job}/cancel", work, "Upgrades", "Cancel an upgrade job", a.cancelUpgradeJob)
	route(a, "GET", "/products/{product}/ota/jobs/{job}/devices", see, "Upgrades", "How far each device of a job is", a.listUpgrades)
	route(a, "POST", "/products/{product}/ota/jobs/{job}/devices/{device}/{action}", work, "Upgrades", "Confirm, retry or cancel the upgrade of one device", a.actOnUpgrade)
	route(a, "GET", "/products/{product}/devices/{device}/versions", see, "Upgrades", "Which versions the modules of a device run", a.deviceVersions)

	route(a, "GET", "/products/{product}/devices/{device}/shadow", see, "Shadow", "What the device reported and what is wanted of it", a.showShadow)
	do(a, "DELETE", "/products/{product}/devices/{device}/shadow", work, "Shadow", "Forget the shadow, its version included", a.forgetShadow)
	route(a, "PUT", "/products/{product}/devices/{device}/shadow/desired", work, "Shadow", "Want other attributes in place of all that were wanted", a.replaceWish)
	route(a, "PATCH", "/products/{product}/devices/{device}/shadow/desired", work, "Shadow", "Want some attributes otherwise", a.mergeWish)
	route(a, "GET", "/products/{product}/devices/{device}/desired", see, "Shadow", "Desired values of properties", a.listDesired)
	route(a, "POST", "/products/{product}/devices/{device}/desired", work, "Shadow", "Set desired values; a device that is away asks for them", a.desire)
	do(a, "DELETE", "/products/{product}/devices/{device}/desired", work, "Shadow", "Take desired values away", a.undesire)

	route(a, "GET", "/products/{product}/config", see, "Remote configuration", "Versions of the configuration of a product", a.showConfig)
	route(a, "PUT", "/products/{product}/config", work, "Remote configuration", "Give a product another configuration, a JSON file", a.saveConfig, anyBody, creates)
	route(a, "PATCH", "/products/{product}/config", work, "Remote configuration", "Give devices the configuration, or no longer", a.switchConfig)
	raw(a, "GET", "/products/{product}/config/content", see, "Remote configuration", "The file itself", a.configContent)
	route(a, "POST", "/products/{product}/config/push", work, "Remote configuration", "Tell devices of the configuration", a.pushConfig)
	route(a, "GET", "/products/{product}/config/deliveries", see, "Remote configuration", "How far it has come with each device", a.listDeliveries)

	route(a, "GET", "/products/{product}/devices/{device}/log", see, "Timeline", "Shall the device post its own log", a.showLog)
	route(a, "PUT", "/products/{product}/devices/{device}/log", work, "Timeline", "Let the device post its own log, or no longer", a.switchLog)

	route(a, "GET", "/products/{product}/devices/{device}/timeline", see, "Timeline", "What the device and Matou said to one another", a.listTimeline)
	stream(a, "/products/{product}/devices/{device}/timeline/stream", see, "Timeline", "The timeline as it happens", anything, a.followTimeline)
	stream(a, "/products/{product}/devices/{device}/stream", see, "Data", "Values, events, commands and states of a device as they come", a.exists, a.followDevice)
	stream(a, "/stream", see, "Data", "Values, events, commands and states as they come", anything, a.followAll)

	route(a, "POST", "/explain", see, "Workshop", "Explain MQTT bytes", a.explain)
	route(a, "POST", "/doctor", work, "Workshop", "Find the mistake in a login", a.doctor)

	route(a, "POST", "/session", anybody, "Access", "Sign in", a.signIn, creates)
	do(a, "DELETE", "/session", see, "Access", "Sign out", a.signOut)
	route(a, "GET", "/me", see, "Access", "Who am I", a.me)
	do(a, "PUT", "/me/password", see, "Access", "Change my password", a.changeMyPassword)
	route(a, "GET", "/operators", rule, "Access", "List operators", a.listOperators)
	route(a, "POST", "/operators", rule, "Access", "Make an operator", a.createOperator, creates)
	route(a, "PATCH", "/operators/{name}", rule, "Access", "Change an operator's role or password", a.changeOperator)
	do(a, "DELETE", "/operators/{name}", rule, "Access", "Delete an operator", a.deleteOperator)
	route(a, "GET", "/tokens", see, "Access", "List access tokens", a.listTokens)
	route(a, "POST", "/tokens", see, "Access", "Make an access token", a.createToken, creates)
	do(a, "DELETE", "/tokens/{id}", see, "Access", "Delete an access token", a.deleteToken)

	route(a, "GET", "/status", see, "Server", "How the server is", a.status)
}
