# A managed nodegroup of Bottlerocket nodes with MemoryQoS, for Terraform, written by brqos.
#
# AMI      ami-0123456789abcdef0, x86_64, in eu-central-1
# Variant  aws-k8s-1.34-nvidia-memoryqos, Kubernetes 1.34
# Needs    Terraform 1.5.7 or later, AWS provider 6.28 or later
#
# terraform init && terraform apply
#
# A new AMI: put its id in the place of the old one, and EKS replaces the nodes in turn. Or let
# the next file stand beside this one, move the pods, and take this one away: no two of these
# files have a name in common.
#
# The cluster has to be there already. If the same configuration makes it, put its module's or
# resource's values in the place of the data source.

data "aws_eks_cluster" "memoryqos_1_34_nvidia_amd64_9abcdef0" {
  region = "eu-central-1"
  name   = "prod"
}

module "memoryqos_1_34_nvidia_amd64_9abcdef0" {
  source  = "terraform-aws-modules/eks/aws//modules/eks-managed-node-group"
  version = "~> 21.0"

  # Exactly so, without the module's random end: `brqos verify --nodegroup` looks for it. What EKS
  # cannot change in place, such as the instance types, needs a nodegroup with another name.
  name            = "memoryqos-1-34-nvidia-amd64-9abcdef0"
  use_name_prefix = false
  region          = "eu-central-1"
  cluster_name    = data.aws_eks_cluster.memoryqos_1_34_nvidia_amd64_9abcdef0.name

  # What a node has to know to join: the module writes it into the user data.
  cluster_endpoint    = data.aws_eks_cluster.memoryqos_1_34_nvidia_amd64_9abcdef0.endpoint
  cluster_auth_base64 = data.aws_eks_cluster.memoryqos_1_34_nvidia_amd64_9abcdef0.certificate_authority[0].data
  cluster_ip_family   = data.aws_eks_cluster.memoryqos_1_34_nvidia_amd64_9abcdef0.kubernetes_network_config[0].ip_family

  cluster_service_cidr = coalesce(
    data.aws_eks_cluster.memoryqos_1_34_nvidia_amd64_9abcdef0.kubernetes_network_config[0].service_ipv4_cidr,
    data.aws_eks_cluster.memoryqos_1_34_nvidia_amd64_9abcdef0.kubernetes_network_config[0].service_ipv6_cidr,
  )

  # Bottlerocket aws-k8s-1.34-nvidia with the kubelet's MemoryQoS turned on, for Kubernetes 1.34:
  # the control plane has to be at 1.34 or up to three minor versions newer.
  #
  # With an own AMI, ami_type only says what the user data looks like. EKS adds nothing to that,
  # so that no node would join without enable_bootstrap_user_data. The last two keep the module
  # from looking for AWS's own AMIs.
  ami_id                         = "ami-0123456789abcdef0"
  ami_type                       = "BOTTLEROCKET_x86_64_NVIDIA"
  enable_bootstrap_user_data     = true
  use_latest_ami_release_version = false
  kubernetes_version             = "1.34"

  # The AMI is for x86_64 with NVIDIA GPUs, and so must each type here be; Terraform does not
  # check it. None was asked for: this one fits, and nearly every region has it.
  instance_types = ["g4dn.xlarge"]

  # Terraform sets desired_size once, and leaves it to others from then on.
  min_size     = 1
  max_size     = 3
  desired_size = 1

  # How many nodes may be away at once while EKS replaces them.
  update_config = {
    max_unavailable = 2
  }

  # The cluster's own. Put others here if the nodes belong elsewhere; in a public subnet each
  # needs a public address to join.
  subnet_ids = data.aws_eks_cluster.memoryqos_1_34_nvidia_amd64_9abcdef0.vpc_config[0].subnet_ids

  # xvdb is the data volume, with images, containers and logs. The system's own volume stays as
  # the AMI has it.
  block_device_mappings = {
    xvdb = {
      device_name = "/dev/xvdb"
      ebs = {
        volume_size           = 80
        volume_type           = "gp3"
        delete_on_termination = true
      }
    }
  }

  # Two hops, so that pods outside the host's network reach the instance's metadata too. The
  # module's own default is one.
  metadata_options = {
    http_put_response_hop_limit = 2
  }

  # It needs AmazonEKSWorkerNodePolicy, AmazonEC2ContainerRegistryReadOnly, AmazonEKS_CNI_Policy
  # (unless the CNI has a role of its own), and AmazonSSMManagedInstanceCore for Session Manager.
  create_iam_role = false
  iam_role_arn    = "arn:aws:iam::111122223333:role/nodes"

  # Bottlerocket's settings. The module puts them right below its own [settings.kubernetes], and
  # TOML takes that header once: what belongs there stands before the first header here.
  #
  # The control container is what Session Manager (SSM) reaches a node through. The admin
  # container is a root shell with an SSH server: off until it is needed, `enable-admin-container`
  # in the control container starts it.
  #
  # As kube-reserved memory is not set, Bottlerocket keeps 11 MiB per pod and 255 MiB from the
  # pods. The node's allocatable memory, which is left, stands in for the limit in memory.high of
  # containers that have a request and no limit.
  bootstrap_extra_args = <<-EOT
    [settings.kubernetes.kube-reserved]
    cpu = "500m"

    [settings.host-containers.control]
    enabled = true

    [settings.host-containers.admin]
    enabled = false
  EOT
}
