{{- /* Objects that the init job creates, as a JSON list. They are no part of the release, so
       that their use outlives it and a change by hand is not undone. */ -}}
{{- define "spiderpool.objects" -}}
{{- $group := "spiderpool.spidernet.io/v2beta1" -}}
{{- $coordinator := dict -}}
{{- range $key, $value := .Values.coordinator }}
{{- if not (has $key (list "enabled" "name")) }}
{{- if or $value (not (kindIs "string" $value)) }}
{{- $_ := set $coordinator $key (kindIs "float64" $value | ternary ($value | int64) $value) }}
{{- end }}
{{- end }}
{{- end }}
{{- $objects := list (dict "apiVersion" $group "kind" "SpiderCoordinator" "metadata" (dict "name" "default") "spec" $coordinator) -}}
{{- $pool := .Values.clusterDefaultPool -}}
{{- range $family := list "4" "6" }}
{{- if index $pool (printf "installIPv%sIPPool" $family) }}
{{- $spec := dict "subnet" (index $pool (printf "ipv%sSubnet" $family)) "ips" (index $pool (printf "ipv%sIPRanges" $family)) "default" true }}
{{- with index $pool (printf "ipv%sGateway" $family) }}{{ $_ := set $spec "gateway" . }}{{ end }}
{{- $objects = append $objects (dict "apiVersion" $group "kind" "SpiderIPPool" "metadata" (dict "name" (index $pool (printf "ipv%sIPPoolName" $family))) "spec" $spec) }}
{{- end }}
{{- end }}
{{- $objects | toJson }}
{{- end }}
