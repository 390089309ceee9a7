# A managed nodegroup of Bottlerocket nodes with MemoryQoS, for Terraform, written by brqos.
#
# AMI      official, x86_64, in eu-central-1
# Variant  aws-k8s-1.37, Kubernetes 1.37
# Needs    Terraform 1.5.7 or later, AWS provider 6.28 or later
#
# terraform init && terraform apply
#
# No custom image is needed: Kubernetes 1.37 has MemoryQoS on, though idle, and the settings
# memory-throttling-factor and memory-reservation-policy below put it to work. The official images
# of Bottlerocket 1.66.0 and later know them.
#
# The cluster has to be there already. If the same configuration makes it, put its module's or
# resource's values in the place of the data source.

data "aws_eks_cluster" "memoryqos" {
  region = "eu-central-1"
  name   = "prod"
}

module "memoryqos" {
  source  = "terraform-aws-modules/eks/aws//modules/eks-managed-node-group"
  version = "~> 21.0"

  # Exactly so, without the module's random end: `brqos verify --nodegroup` looks for it. What EKS
  # cannot change in place, such as the instance types, needs a nodegroup with another name.
  name            = "memoryqos"
  use_name_prefix = false
  region          = "eu-central-1"
  cluster_name    = data.aws_eks_cluster.memoryqos.name

  # For the role and the module's checks; EKS itself tells the nodes how to join.
  cluster_ip_family = data.aws_eks_cluster.memoryqos.kubernetes_network_config[0].ip_family

  cluster_service_cidr = coalesce(
    data.aws_eks_cluster.memoryqos.kubernetes_network_config[0].service_ipv4_cidr,
    data.aws_eks_cluster.memoryqos.kubernetes_network_config[0].service_ipv6_cidr,
  )

  # The official Bottlerocket AMI for Kubernetes 1.37, the newest that there is at each apply; the
  # control plane has to be at 1.37 or up to three minor versions newer.
  ami_type           = "BOTTLEROCKET_x86_64"
  kubernetes_version = "1.37"

  # The AMI is for x86_64, and so must each type here be; Terraform does not check it. None was
  # asked for: this one fits, and nearly every region has it.
  instance_types = ["m6i.large"]

  # Terraform sets desired_size once, and leaves it to others from then on.
  min_size     = 1
  max_size     = 3
  desired_size = 1

  # The cluster's own. Put others here if the nodes belong elsewhere; in a public subnet each
  # needs a public address to join.
  subnet_ids = data.aws_eks_cluster.memoryqos.vpc_config[0].subnet_ids

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

  # IAM takes 38 characters before the random end of a role's name, and the module's own name for
  # it can have more. In a cluster with IPv6 the account needs the policy
  # AmazonEKS_CNI_IPv6_Policy.
  iam_role_name = "memoryqos"

  # In addition to what every node needs, which the module attaches itself. Session Manager needs
  # AmazonSSMManagedInstanceCore.
  iam_role_additional_policies = {
    AmazonSSMManagedInstanceCore = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
  }

  # EKS sets these through its API, some moments after a node has joined.
  taints = {
    "dedicated:NoSchedule" = {
      key    = "dedicated"
      value  = "spark"
      effect = "NO_SCHEDULE"
    }
  }

  # Bottlerocket's settings, which EKS merges with its own.
  #
  # The control container is what Session Manager (SSM) reaches a node through. The admin
  # container is a root shell with an SSH server: off until it is needed, `enable-admin-container`
  # in the control container starts it.
  #
  # memory-throttling-factor throttles a container above memory.high, which is 0.9 of the way from
  # its request to its limit; memory-reservation-policy protects memory requests from reclaim, by
  # memory.min and memory.low. Without the two MemoryQoS is on and does nothing.
  #
  # As kube-reserved memory is not set, Bottlerocket keeps 11 MiB per pod and 255 MiB from the
  # pods. The node's allocatable memory, which is left, stands in for the limit in memory.high of
  # containers that have a request and no limit.
  bootstrap_extra_args = <<-EOT
    [settings.kubernetes]
    memory-throttling-factor = 0.9
    memory-reservation-policy = "TieredReservation"

    [settings.host-containers.control]
    enabled = true

    [settings.host-containers.admin]
    enabled = false
  EOT
}
