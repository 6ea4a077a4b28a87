package relay

import (
	"fmt"
	"net/http"
)

// headerLang chooses the language of messages: en or ja.
const headerLang = "X-Soracom-Lang"

// language is the one that a caller asked for; everything but Japanese is English.
func language(req *http.Request) string {
	if req.Header.Get(headerLang) == "ja" {
		return "ja"
	}
	return "en"
}

// text is a message that is put into words when the reader's language is known. Arguments may be texts.
type text struct {
	format string // English, and the key of the Japanese one in japanese
	args   []any
}

func textf(format string, args ...any) text { return text{format, args} }

// in says it in a language.
func (t text) in(lang string) string {
	format := t.format
	if ja, ok := japanese[format]; ok && lang == "ja" {
		format = ja
	}
	args := make([]any, len(t.args))
	for i, a := range t.args {
		if inner, ok := a.(text); ok {
			a = inner.in(lang)
		}
		args[i] = a
	}
	if len(args) == 0 {
		return format
	}
	return fmt.Sprintf(format, args...)
}

// String is English, so that a text can be logged.
func (t text) String() string { return t.in("en") }

// japanese holds the Japanese of every message of the API. A test holds it complete.
var japanese = map[string]string{
	"%s %s is not allowed: %s": "%s に %s は指定できません: %s",

	"the body goes on after the JSON object":     "JSON オブジェクトの後に余分なデータがあります",
	"the body is longer than %d bytes":           "リクエストボディが %d バイトを超えています",
	"%s is a %s: allowed is %s":                  "%s の型が %s です。指定できるのは %s です",
	"the body":                                   "リクエストボディ",
	"unknown field %s":                           "不明なフィールド %s があります",
	"the body is not JSON: %s at byte %d":        "リクエストボディが JSON ではありません: %s（%d バイト目）",
	"the body is empty: a JSON object is needed": "リクエストボディが空です。JSON オブジェクトが必要です",
	"the body is not JSON: it ends too early":    "リクエストボディの JSON が途中で終わっています",
	"the body cannot be read: %v":                "リクエストボディを読み取れません: %v",
	"a whole number":                             "整数",
	"an array":                                   "配列",
	"an object":                                  "オブジェクト",
	"true or false":                              "true または false",
	"a string":                                   "文字列",
	"another type":                               "別の型",

	"a whole number from %d to %d":                                          "%d から %d までの整数を指定してください",
	"the device's port, from 1 to 65535":                                    "デバイス側のポート番号（1 から 65535）を指定してください",
	"seconds from 1 to %d":                                                  "1 から %d までの秒数を指定してください",
	"\"air\" or \"arc\"":                                                    "\"air\" または \"arc\" を指定してください",
	"one of simId and imsi is needed":                                       "simId か imsi のどちらかが必要です",
	"only together with simId":                                              "simId と一緒にだけ指定できます",
	"your own address cannot be seen here: name the ranges":                 "接続元アドレスが分からないため、範囲を指定してください",
	"at most %d ranges":                                                     "範囲は最大 %d 個です",
	"CIDR notation such as 203.0.113.0/24, 203.0.113.7/32 or 2001:db8::/32": "203.0.113.0/24、203.0.113.7/32、2001:db8::/32 のような CIDR 表記で指定してください",
	"the path names the SIM":                                                "SIM はパスで指定されています",
	"an address, as in the mapping's ipAddress":                             "ポートマッピングの ipAddress のアドレスを指定してください",
	"a port from 1 to 65535":                                                "1 から 65535 までのポート番号を指定してください",
	"Subscriber":                                                            "Subscriber を指定してください",
	"the X-Soracom-Next-Key of the page before":                             "前のページの X-Soracom-Next-Key を指定してください",
	"a year and month such as 202611":                                       "202611 のような年月を指定してください",
	"\"exact\" or \"prefix\"":                                               "\"exact\" または \"prefix\" を指定してください",
	"a code such as R05":                                                    "R05 のようなコードを指定してください",
	"admin, operator or viewer":                                             "admin、operator、viewer のいずれかを指定してください",
	"an address such as 203.0.113.7":                                        "203.0.113.7 のようなアドレスを指定してください",
	"at most %d bytes":                                                      "最大 %d バイトです",
	"at most %d characters":                                                 "最大 %d 文字です",
	"a time before to":                                                      "to より前の時刻を指定してください",
	"at most %d":                                                            "最大 %d 個です",
	"only with tlsRequired, on a relay that has a CA for client certificates": "tlsRequired と一緒に、クライアント証明書の CA が設定されたリレーでだけ指定できます",

	"the credentials are missing, wrong or have ended: POST /v1/auth gives an apiKey and a token, to be sent as %s and %s": "認証情報がないか、誤っているか、期限切れです。POST /v1/auth で得た apiKey と token を %s と %s ヘッダーで送信してください",
	"the authentication key is not known, or its secret is wrong":                                                          "認証キーが存在しないか、シークレットが誤っています",
	"either authKeyId and authKey are needed, or operatorId, userName and password; there is no sign-in by email here":     "authKeyId と authKey、または operatorId、userName、password が必要です。email によるサインインはありません",
	"the operator or the user is not known, or the password is wrong":                                                      "オペレーターまたはユーザーが存在しないか、パスワードが誤っています",
	"currentPassword is wrong":                                         "currentPassword が誤っています",
	"%s must have %d to %d bytes":                                      "%s は %d バイト以上 %d バイト以下で指定してください",
	"1 to 50 letters, digits and . _ @ -, the first a letter or digit": "英数字と . _ @ - からなる 1 から 50 文字（先頭は英数字）で指定してください",
	"there is a user %s already":                                       "ユーザー %s はすでに存在します",
	"there is no user %s":                                              "ユーザー %s は存在しません",
	"the user was changed by somebody else in the meantime: try again": "ユーザーが同時に変更されました。もう一度実行してください",
	"role %q may not do this: it takes %q":                             "ロール %q にはこの操作の権限がありません。%q が必要です",
	"too many calls: wait %d s":                                        "呼び出し回数が多すぎます。%d 秒待ってください",

	"%s %s is not known: GET /v1/sims lists the SIMs":                          "%s %s は存在しません。GET /v1/sims で SIM の一覧を確認してください",
	"there are no port mappings for %s":                                        "%s のポートマッピングはありません",
	"there is no port mapping at %s port %s":                                   "%s のポート %s にポートマッピングはありません",
	"no public port is free in %d-%d: delete mappings that are not needed":     "%d-%d に空きポートがありません。不要なポートマッピングを削除してください",
	"the port mapping was changed by somebody else in the meantime: try again": "ポートマッピングが同時に変更されました。もう一度実行してください",
	"there is no live connection %s":                                           "接続 %s は存在しません",
	"there is no authentication key %s":                                        "認証キー %s は存在しません",
	"operator %s is not known":                                                 "オペレーター %s は存在しません",
	"the device offers no agent status on port %d":                             "デバイスのポート %d でエージェントの状態は提供されていません",
	"the list of SIMs cannot be had at the moment":                             "SIM の一覧を取得できません",
	"this relay has no private CA: its certificates come from elsewhere":       "このリレーにはプライベート CA がありません。証明書は外部から提供されています",
	"%s does not take %s, but %s":                                              "%s は %s を受け付けません。%s を使ってください",
	"no such path: %s":                                                         "パス %s は存在しません",
	"the relay could not do it; its log says why":                              "リレーの内部エラーです。リレーのログを確認してください",

	"other programs hold the ports of %d mappings":                                                                                       "%d 個のポートマッピングのポートが別のプログラムに使用されています",
	"the audit log cannot be written: its oldest entry waits for %d s; is there room on the disk?":                                       "監査ログを書き込めません。最も古いエントリは %d 秒待っています。ディスクの空き容量を確認してください",
	"what the relay keeps cannot be read or written: its log says why":                                                                   "リレーの保存データを読み書きできません。リレーのログを確認してください",
	"the closed network cannot be reached: none of the last %d dials got there; look at the relay's route, VPN, gateway or SOCKS server": "閉域網に到達できません。直近 %d 回の接続はいずれも届いていません。リレー側の経路、VPN、ゲートウェイまたは SOCKS サーバーを確認してください",
	"there is no certificate from the ACME server yet":                                                                                   "ACME サーバーからの証明書がまだありません",

	"its one connection was used":                    "1 回限りの接続がすでに使用されています",
	"%s is not in %s":                                "%s は %s に含まれていません",
	"%s may connect until %s":                        "%s は %s まで接続できます",
	"the port is not open: another program holds it": "ポートが開いていません。別のプログラムが使用しています",
	"%d live connections":                            "接続数 %d",
	"open, %d live connections":                      "開いています。接続数 %d",
	"the mapping's port is held by another program on the relay's machine": "ポートマッピングのポートが、リレーのマシン上の別のプログラムに使用されています",
	"no session":                                   "セッションがありません",
	"no session since %s":                          "%s からセッションがありません",
	"session with %s":                              "%s でセッション中です",
	"no connection: %v":                            "接続できません: %v",
	"port %d takes connections":                    "ポート %d は接続を受け付けています",
	"no such SIM":                                  "SIM が存在しません",
	"the device refused it":                        "デバイスが拒否しました",
	"the device did not answer":                    "デバイスが応答しません",
	"the device speaks first, an unknown protocol": "デバイスが不明なプロトコルで先に送信します",
	"the device closed without a byte":             "デバイスは何も送らずに切断しました",
	"the device waits for the client to speak":     "デバイスはクライアントからの送信を待っています",
	"the device speaks first: %s":                  "デバイスが先に送信します: %s",
	"the device speaks TLS itself":                 "デバイス自身が TLS を使っています",
	"the device speaks SSH":                        "デバイスは SSH を使っています",
	"the device speaks SSH, which encrypts itself: make the mapping with the TLS option OFF": "デバイスは SSH を使っています。SSH は自ら暗号化するため、TLS オプションを OFF にしてポートマッピングを作り直してください",
	"the option is ON and the device speaks plaintext: clients must speak TLS":               "オプションは ON でデバイスは平文です。クライアントは TLS で接続してください",
	"the option is OFF and the device speaks TLS":                                            "オプションは OFF でデバイスは TLS です",
	"the option is OFF and the device speaks no TLS: clients must speak as the device does":  "オプションは OFF でデバイスは TLS を使いません。クライアントはデバイスと同じプロトコルで接続してください",
}
