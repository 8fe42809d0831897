{{- /* Multus' configuration when the default network is named by the values. */ -}}
{{- define "spiderpool.multusConfiguration" -}}
{{- $multus := .Values.multus.multusCNI -}}
{{- $configuration := dict
      "cniVersion" "0.3.1"
      "name" "multus-cni-network"
      "type" "multus"
      "capabilities" (dict "portMappings" true "bandwidth" true)
      "clusterNetwork" $multus.defaultCniCRName
      "multusNamespace" .Release.Namespace
      "confDir" .Values.global.cniConfHostPath
      "kubeconfig" (printf "%s/multus.d/multus.kubeconfig" .Values.global.cniConfHostPath)
      "logLevel" $multus.log.logLevel -}}
{{- with $multus.log.logFile }}{{ $_ := set $configuration "logFile" . }}{{ end }}
{{- $configuration | toJson }}
{{- end }}
