package netguard

// clouds are public addresses that some provider routes inside its network, so that they reach a
// service of the provider or of its customer, with the rights of the machine that asks. Most
// providers' metadata is in special4 or outside global6 already: 169.254.169.254, Oracle's
// 192.0.0.192, Alibaba's 100.100.100.200 and Tencent's 100.88.222.5, Amazon's fd00:ec2::/32.
//
// Sources, by provider:
//
//   - Azure: Microsoft Learn, "What is IP address 168.63.129.16?"
//   - IBM: IBM Cloud Docs, "Endpoints available for VPC"
//   - Google: Google Cloud, "Configure Private Google Access" and "Cloud DNS: forwarding zones"
//   - Equinix: Equinix Metal documentation, "Metadata"
//   - Tencent: Tencent Cloud documentation, "Private network access: DNS"
var clouds = prefixes(
	"168.63.129.16/32", // Azure: the machine's host (WireServer)

	"161.26.0.0/16", // IBM: endpoints of the infrastructure (name servers, storage, mirrors)
	"166.8.0.0/14",  // IBM: endpoints of services (databases, IAM)

	"199.36.153.4/30",       // Google: restricted.googleapis.com
	"199.36.153.8/30",       // Google: private.googleapis.com
	"34.126.0.0/18",         // Google: APIs and services, beside these two names
	"35.199.192.0/19",       // Google: Cloud DNS, and health checks of private networks
	"2600:2d00:2:1000::/56", // Google: restricted.googleapis.com
	"2600:2d00:2:2000::/56", // Google: private.googleapis.com
	"2001:4860:8040::/42",   // Google: APIs and services, beside these two names

	"192.80.8.124/32", // Equinix Metal: metadata

	"183.60.83.19/32", // Tencent: name servers of private networks
	"183.60.82.98/32",
)
