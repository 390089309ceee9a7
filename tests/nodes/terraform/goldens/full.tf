# A managed nodegroup of Bottlerocket nodes with MemoryQoS, for Terraform, written by brqos.
#
# AMI      ami-0123456789abcdef0, arm64, in eu-central-1
# Variant  aws-k8s-1.29-memoryqos, Kubernetes 1.29
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

data "aws_eks_cluster" "memoryqos_arm64" {
  region = "eu-central-1"
  name   = "prod"
}

module "memoryqos_arm64" {
  source  = "terraform-aws-modules/eks/aws//modules/eks-managed-node-group"
  version = "~> 21.0"

  # Exactly so, without the module's random end: `brqos verify --nodegroup` looks for it. What EKS
  # cannot change in place, such as the instance types, needs a nodegroup with another name.
  name            = "memoryqos-arm64"
  use_name_prefix = false
  region          = "eu-central-1"
  cluster_name    = data.aws_eks_cluster.memoryqos_arm64.name

  # What a node has to know to join: the module writes it into the user data.
  cluster_endpoint    = data.aws_eks_cluster.memoryqos_arm64.endpoint
  cluster_auth_base64 = data.aws_eks_cluster.memoryqos_arm64.certificate_authority[0].data
  cluster_ip_family   = data.aws_eks_cluster.memoryqos_arm64.kubernetes_network_config[0].ip_family

  cluster_service_cidr = coalesce(
    data.aws_eks_cluster.memoryqos_arm64.kubernetes_network_config[0].service_ipv4_cidr,
    data.aws_eks_cluster.memoryqos_arm64.kubernetes_network_config[0].service_ipv6_cidr,
  )

  # Bottlerocket aws-k8s-1.29 with the kubelet's MemoryQoS turned on, for Kubernetes 1.29: the
  # control plane has to be at 1.29 or up to three minor versions newer.
  #
  # With an own AMI, ami_type only says what the user data looks like. EKS adds nothing to that,
  # so that no node would join without enable_bootstrap_user_data. The last two keep the module
  # from looking for AWS's own AMIs.
  ami_id                         = "ami-0123456789abcdef0"
  ami_type                       = "BOTTLEROCKET_ARM_64"
  enable_bootstrap_user_data     = true
  use_latest_ami_release_version = false
  kubernetes_version             = "1.29"

  # The AMI is for arm64, and so must each type here be; Terraform does not check it.
  instance_types = ["m7g.xlarge", "m6g.xlarge"]
  capacity_type  = "SPOT"

  # Terraform sets desired_size once, and leaves it to others from then on.
  min_size     = 2
  max_size     = 6
  desired_size = 3

  # How many nodes may be away at once while EKS replaces them.
  update_config = {
    max_unavailable_percentage = 25
  }

  subnet_ids = [
    "subnet-0123456789abcdef0",
    "subnet-0123456789abcdef1",
  ]

  # Own security groups replace the cluster's. It is here so that nodes and control plane still
  # reach each other.
  cluster_primary_security_group_id = data.aws_eks_cluster.memoryqos_arm64.vpc_config[0].cluster_security_group_id
  vpc_security_group_ids            = ["sg-0123456789abcdef0"]

  # xvdb is the data volume, with images, containers and logs; xvda is the system's own. Both are
  # encrypted. The key's policy has to let the role AWSServiceRoleForAutoScaling use it, or
  # instances end as soon as they start.
  block_device_mappings = {
    xvda = {
      device_name = "/dev/xvda"
      ebs = {
        encrypted  = true
        kms_key_id = "arn:aws:kms:eu-central-1:111122223333:alias/nodes"
      }
    }
    xvdb = {
      device_name = "/dev/xvdb"
      ebs = {
        volume_size           = 100
        volume_type           = "gp3"
        delete_on_termination = true
        iops                  = 4000
        throughput            = 250
        encrypted             = true
        kms_key_id            = "arn:aws:kms:eu-central-1:111122223333:alias/nodes"
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
  iam_role_name = "memoryqos-arm64"

  iam_role_permissions_boundary = "arn:aws:iam::111122223333:policy/boundary"

  # In addition to what every node needs, which the module attaches itself. Session Manager needs
  # AmazonSSMManagedInstanceCore.
  iam_role_additional_policies = {
    AmazonSSMManagedInstanceCore = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
    Logs                         = "arn:aws:iam::111122223333:policy/team/Logs"
  }

  # For SSH to the admin container, which is started for it. A security group of the nodes has to
  # let it in.
  key_name = "operators"

  labels = {
    "team"                = "on"
    "example.com/release" = "1.30"
  }

  # EKS sets these through its API, some moments after a node has joined. The node itself brings
  # them along as node-taints (below), so that no pod slips in before.
  taints = {
    "dedicated:NoSchedule" = {
      key    = "dedicated"
      value  = "spark"
      effect = "NO_SCHEDULE"
    }
    "dedicated:NoExecute" = {
      key    = "dedicated"
      value  = "spark"
      effect = "NO_EXECUTE"
    }
    "gpu:PreferNoSchedule" = {
      key    = "gpu"
      effect = "PREFER_NO_SCHEDULE"
    }
  }

  tags = {
    "team"        = "data"
    "cost center" = "4711"
  }

  # Bottlerocket's settings. The module puts them right below its own [settings.kubernetes], and
  # TOML takes that header once: what belongs there stands before the first header here. max-pods
  # has its place here too: the module knows no argument for it.
  #
  # The control container is what Session Manager (SSM) reaches a node through. The admin
  # container is a root shell with an SSH server, and on.
  #
  # Memory that is reserved for kubelet, containerd and the system is missing from the node's
  # allocatable memory, which stands in for the limit in memory.high of containers that have a
  # request and no limit.
  #
  # eviction-hard is where the kubelet begins to evict pods. Before Bottlerocket 1.69.0 it
  # replaces all of the kubelet's defaults, so each is named here.
  bootstrap_extra_args = <<-EOT
    image-gc-high-threshold-percent = 85
    max-pods = 58

    [settings.kubernetes.kube-reserved]
    memory = "900Mi"
    cpu = "1"

    [settings.kubernetes.system-reserved]
    memory = "200Mi"

    [settings.kubernetes.eviction-hard]
    "memory.available" = "200Mi"
    "nodefs.available" = "10%"
    "nodefs.inodesFree" = "5%"
    "imagefs.available" = "15%"

    [settings.kubernetes.node-taints]
    dedicated = ["spark:NoSchedule", "spark:NoExecute"]
    gpu = [":PreferNoSchedule"]

    [settings]
    motd = "Not $${this} \"one\" %%{nor} that"

    [settings.host-containers.control]
    enabled = true

    [settings.host-containers.admin]
    enabled = true

    [settings.kernel.sysctl]
    "vm.max_map_count" = "262144"
  EOT
}
