package records

// DispatchFields are those of a Dispatch in front of its call. Times are microseconds since 1970.
type DispatchFields struct {
	DispatchID           string   `avro:"dispatch_id"`
	AccountID            string   `avro:"account_id"`
	ActionID             string   `avro:"action_id"`
	Sid                  string   `avro:"sid"`
	Revision             int64    `avro:"revision"`
	Attempt              int64    `avro:"attempt"`
	ConfigVersion        int64    `avro:"config_version"`
	ActionVersion        int64    `avro:"action_version"`
	RoutedAt             int64    `avro:"routed_at"`
	DueAt                *int64   `avro:"due_at"`
	PhoneLabel           string   `avro:"phone_label"`
	ReverseLookupEnabled bool     `avro:"reverse_lookup_enabled"`
	SourceTrakEnabled    bool     `avro:"sourcetrak_enabled"`
	LeadFlowEnabled      bool     `avro:"leadflow_enabled"`
	Failure              *Failure `avro:"failure"`
	CallBytes            int64    `avro:"call_bytes"`
}

// Failure is why the latest attempt did not succeed.
type Failure struct {
	Error    string `avro:"error"`
	Detail   string `avro:"detail"`
	Status   *int64 `avro:"status"`
	FailedAt int64  `avro:"failed_at"`
}

// CallFields are what the twelve parameters need of a CallCompleted.
type CallFields struct {
	Sid                 string   `avro:"sid"`
	CallType            string   `avro:"call_type"`
	CalledNumber        string   `avro:"called_number"`
	CalledE164          string   `avro:"called_e164"`
	TalkSeconds         *int64   `avro:"talk_seconds"`
	StartedAt           int64    `avro:"started_at"`
	CallerID            string   `avro:"caller_id"`
	CallerE164          string   `avro:"caller_e164"`
	PhoneLabel          string   `avro:"phone_label"`
	LastAction          string   `avro:"last_action"`
	IntelligentSeconds  *int64   `avro:"intelligent_seconds"`
	RecordingSeconds    *int64   `avro:"recording_seconds"`
	TransferredToNumber string   `avro:"transferred_to_number"`
	TransferredToE164   string   `avro:"transferred_to_e164"`
	Lookup              *Lookup  `avro:"lookup"`
	Distributor         *Skipped `avro:"distributor"`
	SourceTrak          *Skipped `avro:"sourcetrak"`
	LeadFlow            *Skipped `avro:"leadflow"`
}

// Skipped is an optional record of which nothing is read. Without a field for it hamba would work
// out anew, for every one that is there, how to skip it.
type Skipped struct {
	Cake *struct{} `avro:"cake"` // LeadFlow has one in turn
}

// Lookup is what Reverse Lookup knows of the caller.
type Lookup struct {
	LastName string `avro:"last_name"`
}

// CallRouting are the fields of a CallCompleted that routing reads.
type CallRouting struct {
	AccountID   string             `avro:"account_id"`
	Sid         string             `avro:"sid"`
	Revision    int64              `avro:"revision"`
	CallType    string             `avro:"call_type"`
	CalledE164  string             `avro:"called_e164"`
	AdGroupID   string             `avro:"ad_group_id"`
	PoolID      string             `avro:"pool_id"`
	TalkSeconds *int64             `avro:"talk_seconds"`
	Lookup      *Skipped           `avro:"lookup"`
	Distributor *Skipped           `avro:"distributor"`
	SourceTrak  *Skipped           `avro:"sourcetrak"`
	LeadFlow    *LeadFlowCondition `avro:"leadflow"`
}

// LeadFlowCondition is what conditions ask of LeadFlow.
type LeadFlowCondition struct {
	Tag                  string   `avro:"tag"`
	SourceQualified      *bool    `avro:"source_qualified"`
	DestinationQualified *bool    `avro:"destination_qualified"`
	Cake                 *Skipped `avro:"cake"`
}

// ActionFields are what sending needs of an Action.
type ActionFields struct {
	Option            string      `avro:"option"`
	TargetURL         string      `avro:"target_url"`
	Method            string      `avro:"method"`
	Parameters        []Parameter `avro:"parameters"`
	IncludeSourceTrak bool        `avro:"include_sourcetrak"`
	IncludeLeadFlow   bool        `avro:"include_leadflow"`
	OmitEmpty         bool        `avro:"omit_empty"`
	Headers           []Header    `avro:"headers"`
	MaxInFlight       *int64      `avro:"max_in_flight"`
	RateLimit         *float64    `avro:"rate_limit"`
	SigningSecrets    []string    `avro:"signing_secrets"`
	TLS               *TLS        `avro:"tls"`
}

// Parameter is one dynamic parameter.
type Parameter struct {
	Name        string `avro:"name"`
	Placeholder string `avro:"placeholder"`
	Transform   string `avro:"transform"`
	OmitEmpty   bool   `avro:"omit_empty"`
}

// Header is one that every request of an action carries.
type Header struct {
	Name  string `avro:"name"`
	Value string `avro:"value"`
}

// TLS is how the server proves who it is, and how we do; all PEM.
type TLS struct {
	Verify            bool   `avro:"verify"`
	CA                string `avro:"ca"`
	ClientCertificate string `avro:"client_certificate"`
}

// ActionRouting is what routing needs of an Action.
type ActionRouting struct {
	ActionID   string      `avro:"action_id"`
	Version    int64       `avro:"version"`
	Active     bool        `avro:"active"`
	Scope      string      `avro:"scope"`
	Revisions  bool        `avro:"revisions"`
	Conditions *Conditions `avro:"conditions"`
}

// Conditions are what must all be true of a call; what is empty or nil is not asked.
type Conditions struct {
	MinimumTalkSeconds *int64   `avro:"minimum_talk_seconds"`
	CallTypes          []string `avro:"call_types"`
	Qualified          string   `avro:"qualified"`
	PoolIDs            []string `avro:"pool_ids"`
	Tags               []string `avro:"tags"`
}

// AccountFields are what is enabled for an account.
type AccountFields struct {
	AccountID            string `avro:"account_id"`
	Version              int64  `avro:"version"`
	ReverseLookupEnabled bool   `avro:"reverse_lookup_enabled"`
	SourceTrakEnabled    bool   `avro:"sourcetrak_enabled"`
	LeadFlowEnabled      bool   `avro:"leadflow_enabled"`
}

// RoutingFields say which actions calls to a number, pool or ad group trigger.
type RoutingFields struct {
	Send     string `avro:"send"`
	ActionID string `avro:"action_id"`
	Label    string `avro:"label"`
}

// AttemptFields are everything about one try. Times are microseconds, StartedAt since 1970.
type AttemptFields struct {
	AccountID       string            `avro:"account_id"`
	DispatchID      string            `avro:"dispatch_id"`
	ActionID        string            `avro:"action_id"`
	Sid             string            `avro:"sid"`
	Revision        int64             `avro:"revision"`
	Attempt         int64             `avro:"attempt"`
	ConfigVersion   int64             `avro:"config_version"`
	ActionVersion   int64             `avro:"action_version"`
	StartedAt       int64             `avro:"started_at"`
	DurationUs      int64             `avro:"duration_us"`
	DNSUs           *int64            `avro:"dns_us"`
	ConnectUs       *int64            `avro:"connect_us"`
	TLSUs           *int64            `avro:"tls_us"`
	FirstByteUs     *int64            `avro:"first_byte_us"`
	Address         string            `avro:"address"`
	Method          string            `avro:"method"`
	URL             string            `avro:"url"`
	RequestHeaders  map[string]string `avro:"request_headers"`
	RequestBody     string            `avro:"request_body"`
	Status          *int64            `avro:"status"`
	ResponseHeaders map[string]string `avro:"response_headers"`
	ResponseBody    []byte            `avro:"response_body"`
	Outcome         string            `avro:"outcome"`
	Error           string            `avro:"error"`
	ErrorDetail     string            `avro:"error_detail"`
	NextAt          *int64            `avro:"next_at"`
	Fault           string            `avro:"fault"`
	Reused          bool              `avro:"reused"`
	Resent          bool              `avro:"resent"`
	Endpoint        string            `avro:"endpoint"`
}
