{{- /* An image's reference; a digest wins over a tag. Of .image and .root. */ -}}
{{- define "spiderpool.image" -}}
{{- $registry := .root.Values.global.imageRegistryOverride | default .image.registry -}}
{{- with $registry }}{{ . }}/{{ end }}{{ .image.repository }}
{{- if .image.digest }}@{{ .image.digest }}{{ else }}:{{ .image.tag | default .root.Chart.AppVersion }}{{ end }}
{{- end }}

{{- /* Labels by which pods are chosen, and nothing else. Of .component and .root. */ -}}
{{- define "spiderpool.selector" -}}
app.kubernetes.io/name: spiderpool
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- /* Name, namespace, labels and annotations of an object. Of .name, .component, .root,
       .cluster (it has no namespace), .namespace, .labels and .annotations. */ -}}
{{- define "spiderpool.metadata" -}}
name: {{ .name }}
{{- if not .cluster }}
namespace: {{ .namespace | default .root.Release.Namespace }}
{{- end }}
labels:
  {{- include "spiderpool.selector" . | nindent 2 }}
  app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
  app.kubernetes.io/managed-by: {{ .root.Release.Service }}
  helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
  {{- with merge dict (.labels | default dict) .root.Values.global.commonLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with merge dict (.annotations | default dict) .root.Values.global.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* Which account may what. Of .name, .account, .cluster, .namespace, .component, .root,
       .annotations; roleRef is the role of that name. */ -}}
{{- define "spiderpool.binding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ if .cluster }}ClusterRoleBinding{{ else }}RoleBinding{{ end }}
metadata:
  {{- include "spiderpool.metadata" . | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ if .cluster }}ClusterRole{{ else }}Role{{ end }}
  name: {{ .name }}
subjects:
  - kind: ServiceAccount
    name: {{ .account }}
    namespace: {{ .root.Release.Namespace }}
{{- end }}

{{- /* A container that may do nothing. */ -}}
{{- define "spiderpool.powerless" -}}
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
privileged: false
readOnlyRootFilesystem: true
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- /* Secrets to pull images with, each once. A list of images. */ -}}
{{- define "spiderpool.pullSecrets" -}}
{{- $secrets := list -}}
{{- range . }}{{ $secrets = concat $secrets .imagePullSecrets }}{{ end -}}
{{- with $secrets | uniq }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* The service account's token, for the one container that needs it. */ -}}
{{- define "spiderpool.tokenVolume" -}}
name: api-access
projected:
  defaultMode: 0444
  sources:
    - serviceAccountToken: {path: token, expirationSeconds: 3607}
    - configMap:
        name: kube-root-ca.crt
        items: [{key: ca.crt, path: ca.crt}]
    - downwardAPI:
        items: [{path: namespace, fieldRef: {fieldPath: metadata.namespace}}]
{{- end }}

{{- define "spiderpool.tokenMount" -}}
name: api-access
mountPath: /var/run/secrets/kubernetes.io/serviceaccount
readOnly: true
{{- end }}

{{- /* Probes of health pages. */ -}}
{{- define "spiderpool.probes" -}}
startupProbe:
  httpGet: {path: /v1/runtime/startup, port: health}
  periodSeconds: 2
  failureThreshold: 60
readinessProbe:
  httpGet: {path: /v1/runtime/readiness, port: health}
  periodSeconds: 10
  failureThreshold: 3
livenessProbe:
  httpGet: {path: /v1/runtime/liveness, port: health}
  periodSeconds: 10
  failureThreshold: 6
{{- end }}

{{- /* What is logged, and how. Of a component's values. */ -}}
{{- define "spiderpool.logging" -}}
- --log-level={{ .debug.logLevel }}
- --log-format={{ .debug.logFormat }}
{{- end }}

{{- /* Options that agent and controller share. Of .settings and .root. */ -}}
{{- define "spiderpool.options" -}}
- --namespace={{ .root.Release.Namespace }}
{{ include "spiderpool.logging" .settings }}
- --health-listen=[$(POD_IP)]:{{ .settings.httpPort }}
{{- if .settings.prometheus.enabled }}
- --metrics-listen=[$(POD_IP)]:{{ .settings.prometheus.port }}
{{- end }}
{{- if not .root.Values.ipam.enableIPv4 }}
- --disable-ipv4
{{- end }}
{{- if not .root.Values.ipam.enableIPv6 }}
- --disable-ipv6
{{- end }}
{{- end }}

{{- /* A ServiceMonitor and its Service. Of .settings, .component and .root. */ -}}
{{- define "spiderpool.metrics" -}}
{{- $prometheus := .settings.prometheus -}}
{{- if $prometheus.enabled }}
{{- $service := dict "name" (printf "%s-metrics" .settings.name) "component" .component "root" .root "labels" (dict "spiderpool.spidernet.io/metrics" .component) }}
apiVersion: v1
kind: Service
metadata:
  {{- include "spiderpool.metadata" $service | nindent 2 }}
spec:
  clusterIP: None
  selector:
    {{- include "spiderpool.selector" . | nindent 4 }}
  ports:
    - {name: metrics, port: {{ $prometheus.port }}, targetPort: metrics, protocol: TCP}
{{- with $prometheus.serviceMonitor }}
{{- if .install }}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  {{- include "spiderpool.metadata" (dict "name" $.settings.name "component" $.component "root" $.root "namespace" .namespace "labels" .labels "annotations" .annotations) | nindent 2 }}
spec:
  namespaceSelector:
    matchNames: [{{ $.root.Release.Namespace }}]
  selector:
    matchLabels:
      {{- include "spiderpool.selector" $ | nindent 6 }}
      spiderpool.spidernet.io/metrics: {{ $.component }}
  endpoints:
    - {port: metrics, path: /metrics, interval: {{ .interval }}}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
