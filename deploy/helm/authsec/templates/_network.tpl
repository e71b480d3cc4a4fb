{{- define "authsec.egress.dns" -}}
- to: {{- toYaml .Values.networkPolicy.dnsTo | nindent 4 }}
  ports:
    - { protocol: UDP, port: 53 }
    - { protocol: TCP, port: 53 }
{{- end }}

{{- /* (dict "to" list "ports" list): nobody named is anywhere. */}}
{{- define "authsec.egress.to" -}}
- ports:
    {{- range .ports }}
    - { protocol: TCP, port: {{ int . }} }
    {{- end }}
  {{- with .to }}
  to: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{- define "authsec.egress.publicHttps" -}}
- to:
    - ipBlock:
        cidr: 0.0.0.0/0
        except: [0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16]
    - ipBlock:
        cidr: 2000::/3
  ports: [{ protocol: TCP, port: 443 }]
{{- end }}

{{- /* What every command of the Manager's image needs. */}}
{{- define "authsec.egress.stores" -}}
{{- with .Values -}}
{{ include "authsec.egress.dns" $ }}
{{ include "authsec.egress.to" .networkPolicy.postgresql }}
{{- if .vault.enabled }}
{{ include "authsec.egress.to" (dict "to" .networkPolicy.vaultTo "ports" (list (include "authsec.portOf" .vault.address))) }}
{{- end }}
{{- end }}
{{- end }}
