package aliyun

// coapTexts are what Explain says of CoAP.
var coapTexts = map[string]text{
	"aliyun-coap-malformed": {
		"the datagram is no CoAP message: %v", "该数据报不是合法的 CoAP 报文",
		"look at the bytes that are sent, and whether the port is the right one: 5682 takes plain CoAP, 5684 DTLS", "请检查实际发送的字节以及端口：5682 为明文 CoAP，5684 为 DTLS"},
	"aliyun-coap-path": {
		"there is nothing at /%s: devices post to /auth and to /topic/…", "没有路径 /%s：设备应使用 /auth 和 /topic/…",
		"put the topic behind /topic: /topic/sys/{productKey}/{deviceName}/thing/event/property/post", "主题写在 /topic 之后：/topic/sys/{productKey}/{deviceName}/thing/event/property/post"},
	"aliyun-coap-method": {
		"the method is %s; only POST is taken", "请求方法是 %s；只支持 POST",
		"send POST", "请使用 POST"},
	"aliyun-coap-accept": {
		"the answer was wanted as media type %d; there are 50, JSON, and 60, CBOR", "Accept 为 %d；只支持 50（JSON）和 60（CBOR）",
		"set Accept to 50, or leave it out", "请将 Accept 设为 50，或不带该选项"},
	"aliyun-coap-format": {
		"the login comes as media type %d; 50, JSON, and 60, CBOR, are read", "登录请求的 Content-Format 为 %d；只支持 50（JSON）和 60（CBOR）",
		"set Content-Format to 50 and send JSON", "请将 Content-Format 设为 50 并发送 JSON"},
	"aliyun-coap-option": {
		"option %d is critical and means nothing here", "选项 %d 为 critical 选项，此处不支持",
		"leave the option out", "请去掉该选项"},
	"aliyun-coap-too-large": {
		"the payload is longer than %d bytes", "负载超过 %d 字节",
		"CoAP is for small messages, 1 KB by the vendor's rule: send less at once, or use MQTT", "CoAP 适合小消息（厂商规定 1 KB）：请减少单次发送的内容，或改用 MQTT"},
	"aliyun-coap-blocks": {
		"block %d did not follow on what came before", "分块 %d 与之前收到的内容不连续",
		"send the blocks in their order, each after the answer to the one before, all of one size", "请按顺序发送分块，收到上一块的应答后再发下一块，且各块大小一致"},
	"aliyun-coap-body": {
		"the login cannot be read: %v", "登录内容无法解析：不是 JSON 对象，也不是 CBOR 映射",
		"send {\"productKey\":…,\"deviceName\":…,\"clientId\":…,\"sign\":…,\"seq\":…}", "请发送 {\"productKey\":…,\"deviceName\":…,\"clientId\":…,\"sign\":…,\"seq\":…}"},
	"aliyun-coap-missing": {
		"the login lacks %s", "登录内容缺少 %s",
		"productKey, deviceName, clientId and sign have to be there, over plain UDP seq as well", "productKey、deviceName、clientId、sign 必填；使用 5682 端口时还需要 seq"},
	"aliyun-coap-token-missing": {
		"the message has no token", "消息没有携带 token",
		"put the token of /auth into option 2088", "请将 /auth 返回的 token 放入选项 2088"},
	"aliyun-coap-token-unknown": {
		"the token is none that is known: it has expired, others have taken its place, or the server was started again", "token 无法识别：可能已过期、被更新的登录取代，或服务器已重启",
		"log in again at /auth when the answer is 4.01", "收到 4.01 时请重新调用 /auth"},
	"aliyun-coap-token-road": {
		"the token was given out on the other port: tokens of 5682 and 5684 are not the same", "token 来自另一个端口：5682 与 5684 的 token 不通用",
		"log in on the port that you report on", "请在上报所用的端口上登录"},
	"aliyun-coap-token-device": {
		"the token belongs to another device than the one of the handshake", "token 所属设备与 DTLS 握手中的设备不一致",
		"use one device's identity on a connection", "一条连接只使用一个设备的身份"},
	"aliyun-coap-token-previous": {
		"the token is from before the device got another secret", "token 是设备密钥重置之前获得的",
		"give the device its new secret and log in again", "请为设备配置新密钥并重新登录"},
	"aliyun-coap-seq-missing": {
		"the message has no sequence number", "消息没有携带序列号",
		"put the number, as decimal digits encrypted with the session's key, into option 2089", "请将序列号的十进制文本用会话密钥加密后放入选项 2089"},
	"aliyun-coap-seq-unreadable": {
		"the sequence number is not encrypted with the session's key", "序列号不是用会话密钥加密的",
		"the key is bytes 8 to 23 of SHA-256(DeviceSecret,random), the mode AES-128-CBC with PKCS#5 padding and the vector 543yhjy97ae7fyfg", "密钥为 SHA-256(DeviceSecret + \",\" + random) 的第 8 至 23 字节，AES-128-CBC，PKCS#5 填充，向量 543yhjy97ae7fyfg"},
	"aliyun-coap-seq-repeated": {
		"sequence number %d was used before in this session", "序列号 %d 在本次会话中已使用过",
		"count up for every message; if you do, somebody is sending your messages again", "每条消息都要递增；若已递增，则说明有人在重放消息"},
	"aliyun-coap-seq-low": {
		"sequence number %d is below the seqOffset %d of this session", "序列号 %d 小于本次会话的 seqOffset %d",
		"begin with the seqOffset of the answer to /auth", "请从 /auth 返回的 seqOffset 开始计数"},
	"aliyun-coap-seq-full": {
		"the session has as many sequence numbers with gaps between as are remembered", "本次会话中不连续的序列号已达到可记录的上限",
		"count up by one, or log in again at /auth", "请逐一递增，或重新调用 /auth"},
	"aliyun-coap-cipher": {
		"the payload is not encrypted with the session's key", "负载不是用会话密钥加密的",
		"the key is bytes 8 to 23 of SHA-256(DeviceSecret,random), the mode AES-128-CBC with PKCS#5 padding and the vector 543yhjy97ae7fyfg", "密钥为 SHA-256(DeviceSecret + \",\" + random) 的第 8 至 23 字节，AES-128-CBC，PKCS#5 填充，向量 543yhjy97ae7fyfg"},
	"aliyun-coap-topic": {
		"%q is no topic to post to: %v", "%[1]q 不是可以上报的主题：不能为空，也不能含通配符或不合法的字符",
		"put the topic behind /topic, without wildcards", "主题写在 /topic 之后，不能包含通配符"},
	"aliyun-psk-identity": {
		"the identity of the handshake cannot be read: %v", "握手中的 PSK identity 无法解析",
		"send devicename|hmacsha256|{productKey}&{deviceName}|{timestamp}", "请发送 devicename|hmacsha256|{productKey}&{deviceName}|{timestamp}"},
	"aliyun-psk-failed": {
		"the handshake did not end well after the pre-shared key was used: most likely the device made it of another secret", "使用预共享密钥后握手未完成：设备很可能使用了其他密钥",
		"the key is the HMAC with the DeviceSecret over id{productKey}&{deviceName}timestamp{timestamp}, as upper-case hex digits; its decoded bytes and lower-case digits are tried in turn", "预共享密钥为以 DeviceSecret 对 id{productKey}&{deviceName}timestamp{timestamp} 计算的 HMAC 的大写十六进制文本；服务器也会轮流尝试其原始字节与小写文本"},
}
