{{- /* Annotations of a hook's objects. Of .hook, .weight and .policy. */ -}}
{{- define "spiderpool.hookAnnotations" -}}
helm.sh/hook: {{ .hook }}
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: {{ .policy | default "before-hook-creation,hook-succeeded" }}
{{- end }}

{{- /* A Job's account, its roles and the bindings; part of the release when .hook is empty.
       Of .name, .component, .hook, .clusterRules, .rules (YAML; empty: no such role), .root. */ -}}
{{- define "spiderpool.hookAccount" -}}
{{- $annotations := dict -}}
{{- if .hook }}
{{- $annotations = include "spiderpool.hookAnnotations" (dict "hook" .hook "weight" "-10") | fromYaml -}}
{{- end }}
{{- $own := dict "name" .name "account" .name "component" .component "root" .root "annotations" $annotations -}}
{{- $cluster := merge (dict "cluster" true) $own -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "spiderpool.metadata" $own | nindent 2 }}
{{- with .clusterRules }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  {{- include "spiderpool.metadata" $cluster | nindent 2 }}
rules:
  {{- . | nindent 2 }}
---
{{ include "spiderpool.binding" $cluster }}
{{- end }}
{{- with .rules }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  {{- include "spiderpool.metadata" $own | nindent 2 }}
rules:
  {{- . | nindent 2 }}
---
{{ include "spiderpool.binding" $own }}
{{- end }}
{{- end }}

{{- /* A hook's Job. Of .name, .component, .hook, .policy, .args, .volumes and .mounts (YAML),
       .user (0 when it reads files that only root may) and .root. */ -}}
{{- define "spiderpool.hookJob" -}}
{{- $init := .root.Values.spiderpoolInit -}}
{{- $annotations := include "spiderpool.hookAnnotations" (dict "hook" .hook "weight" "0" "policy" .policy) | fromYaml -}}
{{- $names := dict "name" .name "component" .component "root" .root "annotations" $annotations -}}
apiVersion: batch/v1
kind: Job
metadata:
  {{- include "spiderpool.metadata" $names | nindent 2 }}
spec:
  backoffLimit: 3
  template:
    metadata:
      labels:
        {{- include "spiderpool.selector" $names | nindent 8 }}
    spec:
      restartPolicy: OnFailure
      serviceAccountName: {{ .name }}
      hostNetwork: true
      dnsPolicy: ClusterFirstWithHostNet
      priorityClassName: {{ $init.priorityClassName | quote }}
      {{- include "spiderpool.pullSecrets" (list $init.image) | nindent 6 }}
      {{- with $init.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $init.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ .component }}
          image: {{ include "spiderpool.image" (dict "image" $init.image "root" .root) }}
          imagePullPolicy: {{ $init.image.pullPolicy }}
          command: [python3, -m, spiderpool.controller.install]
          args:
            {{- toYaml .args | nindent 12 }}
          resources:
            {{- toYaml $init.resources | nindent 12 }}
          securityContext:
            runAsUser: {{ .user | default 65532 }}
            {{- include "spiderpool.powerless" . | nindent 12 }}
          {{- with .mounts }}
          volumeMounts:
            {{- . | nindent 12 }}
          {{- end }}
      {{- with .volumes }}
      volumes:
        {{- . | nindent 8 }}
      {{- end }}
{{- end }}
