"""Jobs: predictions that run longer or are larger than one request may be, over SageMaker's asynchronous inference.

    routes    POST /jobs ... DELETE /jobs/{id}          the API's function
    events    notices, uploads, alarms, the schedule    a function of its own, asynchronous
    states    job  store  files  handover  settlement   what both use

Everything that is known of a job is one item of a DynamoDB table. An event that is lost or comes twice changes nothing:
states only move forward, and each write is conditional.
"""
