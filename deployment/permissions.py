"""What CloudFormation does in the name of whoever deploys: of each kind of resource, the actions of its life.

The first actions of a line make the resource; those are asked in preflight. The rest change, read and delete it.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deployment.parameters import read_template
from sam_template import Evaluator


@dataclass(frozen=True, slots=True)
class Actions:
    """Actions that make a resource, and those that its later life takes."""

    make: Sequence[str]
    later: Sequence[str] = ()


ALWAYS = Actions(
    ("cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet", "s3:PutObject"),
    (
        *("cloudformation:DeleteChangeSet", "cloudformation:DeleteStack", "cloudformation:DescribeChangeSet"),
        *("cloudformation:DescribeStackEvents", "cloudformation:DescribeStacks", "cloudformation:GetTemplateSummary"),
        *("cloudformation:ListStackResources", "s3:CreateBucket", "s3:GetObject", "s3:ListBucket"),
        # what preflight reads, and the end of a deployment
        *("apigateway:GET", "cloudwatch:DescribeAlarms", "iam:GetRole", "iam:SimulatePrincipalPolicy"),
        *("lambda:ListAliases", "logs:DescribeLogGroups", "s3:DeleteObject", "sagemaker:DescribeEndpoint"),
        *("servicequotas:ListServiceQuotas", "sts:GetCallerIdentity"),
    ),
)
# An image of the model's own is pushed, and old ones are removed.
IMAGE = Actions(
    (),
    (
        *("ecr:BatchCheckLayerAvailability", "ecr:BatchDeleteImage", "ecr:BatchGetImage", "ecr:CompleteLayerUpload"),
        *("ecr:CreateRepository", "ecr:DescribeImages", "ecr:DescribeRepositories", "ecr:GetAuthorizationToken"),
        *("ecr:GetDownloadUrlForLayer", "ecr:GetRepositoryPolicy", "ecr:InitiateLayerUpload", "ecr:PutImage"),
        "ecr:UploadLayerPart",
    ),
)
FUNCTION = Actions(
    ("lambda:CreateFunction", "lambda:PublishVersion", "lambda:CreateAlias", "lambda:AddPermission"),
    (
        *("lambda:DeleteAlias", "lambda:DeleteFunction", "lambda:GetAlias", "lambda:GetFunction"),
        *("lambda:GetFunctionConfiguration", "lambda:ListVersionsByFunction", "lambda:RemovePermission"),
        *(
            "lambda:TagResource",
            "lambda:UpdateAlias",
            "lambda:UpdateFunctionCode",
            "lambda:UpdateFunctionConfiguration",
        ),
    ),
)
API = Actions(("apigateway:POST",), ("apigateway:DELETE", "apigateway:GET", "apigateway:PATCH", "apigateway:PUT"))
OF_KIND: Mapping[str, Actions] = {
    "AWS::ApiGateway::Account": API,
    "AWS::ApiGateway::ApiKey": API,
    "AWS::ApiGateway::BasePathMapping": API,
    "AWS::ApiGateway::DomainName": API,
    "AWS::ApiGateway::UsagePlan": API,
    "AWS::ApiGateway::UsagePlanKey": API,
    "AWS::ApplicationAutoScaling::ScalableTarget": Actions(
        ("application-autoscaling:RegisterScalableTarget", "iam:CreateServiceLinkedRole"),
        ("application-autoscaling:DeregisterScalableTarget", "application-autoscaling:DescribeScalableTargets"),
    ),
    "AWS::ApplicationAutoScaling::ScalingPolicy": Actions(
        ("application-autoscaling:PutScalingPolicy",),
        ("application-autoscaling:DeleteScalingPolicy", "application-autoscaling:DescribeScalingPolicies"),
    ),
    "AWS::CloudWatch::Alarm": Actions(
        ("cloudwatch:PutMetricAlarm",), ("cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms")
    ),
    "AWS::CloudWatch::Dashboard": Actions(
        ("cloudwatch:PutDashboard",), ("cloudwatch:DeleteDashboards", "cloudwatch:GetDashboard")
    ),
    "AWS::DynamoDB::Table": Actions(
        ("dynamodb:CreateTable", "dynamodb:DescribeTable", "dynamodb:UpdateTimeToLive"),
        ("dynamodb:DeleteTable", "dynamodb:DescribeTimeToLive", "dynamodb:UpdateTable"),
    ),
    "AWS::IAM::Role": Actions(
        ("iam:CreateRole", "iam:PassRole", "iam:PutRolePolicy"),
        ("iam:DeleteRole", "iam:DeleteRolePolicy", "iam:GetRole", "iam:GetRolePolicy", "iam:TagRole", "iam:UpdateRole"),
    ),
    "AWS::Lambda::Permission": FUNCTION,
    "AWS::Logs::LogGroup": Actions(
        ("logs:CreateLogGroup", "logs:PutRetentionPolicy"),
        ("logs:DeleteLogGroup", "logs:DescribeLogGroups", "logs:TagResource"),
    ),
    "AWS::Route53::RecordSet": Actions(
        ("route53:ChangeResourceRecordSets",),
        ("route53:GetChange", "route53:GetHostedZone", "route53:ListResourceRecordSets"),
    ),
    "AWS::S3::Bucket": Actions(
        (
            *("s3:CreateBucket", "s3:PutBucketNotification", "s3:PutBucketOwnershipControls"),
            *("s3:PutBucketPublicAccessBlock", "s3:PutEncryptionConfiguration", "s3:PutLifecycleConfiguration"),
        ),
    ),
    "AWS::S3::BucketPolicy": Actions(("s3:PutBucketPolicy",), ("s3:DeleteBucketPolicy", "s3:GetBucketPolicy")),
    "AWS::SNS::Topic": Actions(
        ("sns:CreateTopic", "sns:Subscribe"),
        ("sns:DeleteTopic", "sns:GetTopicAttributes", "sns:SetTopicAttributes", "sns:Unsubscribe"),
    ),
    "AWS::SQS::Queue": Actions(
        ("sqs:CreateQueue",), ("sqs:DeleteQueue", "sqs:GetQueueAttributes", "sqs:SetQueueAttributes")
    ),
    "AWS::SageMaker::Endpoint": Actions(
        ("sagemaker:CreateEndpoint",),
        (
            *("sagemaker:AddTags", "sagemaker:DeleteEndpoint", "sagemaker:DescribeEndpoint"),
            "sagemaker:UpdateEndpoint",
        ),
    ),
    "AWS::SageMaker::EndpointConfig": Actions(
        ("sagemaker:CreateEndpointConfig",), ("sagemaker:DeleteEndpointConfig", "sagemaker:DescribeEndpointConfig")
    ),
    "AWS::SageMaker::Model": Actions(("sagemaker:CreateModel",), ("sagemaker:DeleteModel", "sagemaker:DescribeModel")),
    "AWS::Serverless::Api": API,
    "AWS::Serverless::Function": FUNCTION,
    "AWS::WAFv2::WebACL": Actions(
        ("wafv2:CreateWebACL",), ("wafv2:DeleteWebACL", "wafv2:GetWebACL", "wafv2:UpdateWebACL")
    ),
    "AWS::WAFv2::WebACLAssociation": Actions(
        ("wafv2:AssociateWebACL", "apigateway:SetWebACL"), ("wafv2:DisassociateWebACL", "wafv2:GetWebACLForResource")
    ),
}
NETWORK = Actions(("ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"))
# What a parameter adds where it has a value.
OF_PARAMETER: Mapping[str, Actions] = {
    "FunctionSubnetIds": NETWORK,
    "ModelSubnetIds": NETWORK,
    "PermissionsBoundaryArn": Actions(("iam:PutRolePermissionsBoundary",), ("iam:DeleteRolePermissionsBoundary",)),
    "PrivateVpcEndpointIds": Actions(("apigateway:UpdateRestApiPolicy",)),
    "ProvisionedConcurrency": Actions(
        ("lambda:PutProvisionedConcurrencyConfig",),
        ("lambda:DeleteProvisionedConcurrencyConfig", "lambda:GetProvisionedConcurrencyConfig"),
    ),
    "ReservedConcurrency": Actions(
        ("lambda:PutFunctionConcurrency",), ("lambda:DeleteFunctionConcurrency", "lambda:GetFunctionConcurrency")
    ),
}
# With Jobs=on SAM adds the rules of the function's events.
RULES = Actions(
    ("events:DescribeRule", "events:PutRule", "events:PutTargets"), ("events:DeleteRule", "events:RemoveTargets")
)
# With Canary=true SAM adds an application and a group of CodeDeploy.
ROLLOUT = Actions(
    ("codedeploy:CreateApplication", "codedeploy:CreateDeploymentGroup", "codedeploy:CreateDeployment"),
    (
        *("codedeploy:DeleteApplication", "codedeploy:DeleteDeploymentGroup", "codedeploy:GetDeployment"),
        *("codedeploy:GetDeploymentConfig", "codedeploy:GetDeploymentGroup", "codedeploy:RegisterApplicationRevision"),
        "codedeploy:UpdateDeploymentGroup",
    ),
)


def needed(parameters: Mapping[str, str]) -> list[Actions]:
    """Return what a stack with these parameters takes."""
    template = read_template()
    known = {name: value for name, value in parameters.items() if name in template["Parameters"]}
    kinds = {item["Type"] for item in Evaluator(template, known).made(template["Resources"]).values()}
    found = [ALWAYS, *(OF_KIND[kind] for kind in sorted(kinds & OF_KIND.keys()))]
    found += [actions for name, actions in OF_PARAMETER.items() if parameters.get(name)]
    found += [IMAGE] if "AWS::SageMaker::Model" in kinds else []
    found += [RULES] if parameters.get("Jobs") == "on" else []
    return [*found, ROLLOUT] if parameters.get("Canary") == "true" else found


def making(parameters: Mapping[str, str]) -> list[str]:
    """Return the actions that make the stack."""
    return _sorted(needed(parameters), later=False)


def policy(parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return the least policy for whoever deploys such a stack, updates and deletes it."""
    actions = _sorted(needed(parameters), later=True)
    passing = {
        "Sid": "PassRoles",
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": "arn:*:iam::*:role/*",
        "Condition": {
            "StringEquals": {
                "iam:PassedToService": [
                    "apigateway.amazonaws.com",
                    "codedeploy.amazonaws.com",
                    "lambda.amazonaws.com",
                    "sagemaker.amazonaws.com",
                ]
            }
        },
    }
    listed = [action for action in actions if action != "iam:PassRole"]
    deploy = {"Sid": "Deploy", "Effect": "Allow", "Action": listed, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [deploy, passing]}


def _sorted(found: Iterable[Actions], *, later: bool) -> list[str]:
    return sorted({action for item in found for action in (*item.make, *(item.later if later else ()))})
