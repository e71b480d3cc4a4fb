# Raft storage, TLS, and a seal that opens with a key from a file, so that a restart needs nobody.
# In production the seal is your KMS or HSM's, and there are three or five of these.
ui            = false
disable_mlock = true
api_addr      = "https://openbao:8200"
cluster_addr  = "https://openbao:8201"

storage "raft" {
  path    = "/openbao/file"
  node_id = "openbao"
}

listener "tcp" {
  address         = "0.0.0.0:8200"
  cluster_address = "0.0.0.0:8201"
  tls_cert_file   = "/keys/openbao/tls.pem"
  tls_key_file    = "/keys/openbao/tls.pem"
  tls_min_version = "tls12"
}

seal "static" {
  current_key_id = "compose-1"
  current_key    = "file:///keys/openbao/unseal-key"
}
